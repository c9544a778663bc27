//! Names in what we write are quoted as the server would quote them.

use migrator_xtask::engine::client::plain_identifier;

use crate::support::query_on;

#[test]
fn a_name_that_is_a_keyword_is_quoted_where_the_server_quotes_it() {
    let answer = query_on("postgres", "SELECT word, quote_ident(word) FROM pg_get_keywords() ORDER BY word");
    let words: Vec<(&str, &str)> = answer.lines().filter_map(|line| line.split_once('|')).collect();
    assert!(words.len() > 400, "{answer}");
    for (word, quoted) in words {
        assert_eq!(plain_identifier(word), quoted);
    }
}
