//! The `src/main.rs` of a workspace's own xtask: where it begins, and which tasks it has.

use std::collections::BTreeSet;

use proc_macro2::{Delimiter, Group, TokenStream, TokenTree};

/// The source with a call at the beginning of `fn main`; `None`: there is no such function in it, or it is not Rust.
pub(super) fn with_call(source: &str, call: &str) -> Option<String> {
    let tokens: Vec<TokenTree> = source.parse::<TokenStream>().ok()?.into_iter().collect();
    let body = body_of_main(&tokens)?;
    // Right after the brace.
    let at = body.span_open().byte_range().end;
    let (before, after) = source.split_at_checked(at)?;
    let is_whole_line = after.lines().next().is_none_or(|line| line.trim().is_empty());
    // What followed the brace begins a line of its own; the brace that ends an empty body is not indented.
    let (end, after) = match (is_whole_line, after.trim_start_matches([' ', '\t'])) {
        (true, _) => ("", after),
        (false, rest) if rest.starts_with('}') => ("\n", rest),
        (false, rest) => ("\n    ", rest),
    };
    before.ends_with('{').then(|| format!("{before}\n{call}{end}{after}"))
}

/// The body of the function `main` at the top level of a file.
fn body_of_main(tokens: &[TokenTree]) -> Option<&Group> {
    let at = tokens.windows(2).position(|pair| is(&pair[0], "fn") && is(&pair[1], "main"))?;
    let groups = tokens[at..].iter().filter_map(|token| match token {
        TokenTree::Group(group) => Some(group),
        _ => None,
    });
    let mut groups = groups.skip_while(|group| group.delimiter() != Delimiter::Parenthesis);
    let parameters = groups.next()?;
    let body = groups.find(|group| group.delimiter() == Delimiter::Brace)?;
    parameters.stream().is_empty().then_some(body)
}

/// Whether a source uses a crate.
pub(super) fn uses(source: &str, name: &str) -> bool {
    fn found(tokens: TokenStream, name: &str) -> bool {
        tokens.into_iter().any(|token| match token {
            TokenTree::Group(group) => found(group.stream(), name),
            token => is(&token, name),
        })
    }
    source.parse::<TokenStream>().is_ok_and(|tokens| found(tokens, name))
}

/// Which of these names a source gives to tasks of its own: as a literal that is matched, compared or the name of a command, as a
/// variant of an enum, or after `cmd` in a macro.
pub(super) fn tasks<'n>(source: &str, names: &[&'n str]) -> BTreeSet<&'n str> {
    let mut found = BTreeSet::new();
    if let Ok(tokens) = source.parse::<TokenStream>() {
        search(tokens, false, names, &mut found);
    }
    found
}

fn search<'n>(tokens: TokenStream, variants: bool, names: &[&'n str], found: &mut BTreeSet<&'n str>) {
    let tokens: Vec<TokenTree> = tokens.into_iter().collect();
    let known = |name: &str| names.iter().copied().find(|known| *known == name);
    let mut in_enum = false;
    for (index, token) in tokens.iter().enumerate() {
        let before = index.checked_sub(1).and_then(|before| tokens.get(before));
        let is_tested = is_pattern(before, tokens.get(index + 1));
        match token {
            TokenTree::Literal(_) if is_tested => found.extend(text_of(token).as_deref().and_then(known)),
            TokenTree::Literal(_) | TokenTree::Punct(_) => {}
            TokenTree::Ident(name) => {
                in_enum |= name == "enum";
                let name = name.to_string();
                if before.is_some_and(|before| is(before, "cmd")) {
                    found.extend(known(&name));
                } else if variants {
                    found.extend(known(&kebab(&name)));
                }
            }
            TokenTree::Group(group) => {
                let of_enum = in_enum && group.delimiter() == Delimiter::Brace;
                in_enum &= !of_enum;
                // `Some("ci") =>` and `Command::new("ci")`.
                if is_tested || before.is_some_and(|before| is(before, "new") || is(before, "with_name")) {
                    found.extend(only_literal(group).as_deref().and_then(known));
                }
                search(group.stream(), of_enum, names, found);
            }
        }
    }
}

/// Whether what is between two tokens is compared with something: before `=>`, `==`, `|`, or after `=`, `==`, `|`.
fn is_pattern(before: Option<&TokenTree>, after: Option<&TokenTree>) -> bool {
    let compares = |token: Option<&TokenTree>| matches!(token, Some(TokenTree::Punct(sign)) if ['=', '|'].contains(&sign.as_char()));
    compares(before) || compares(after)
}

/// What is in the quotes of a plain string.
fn text_of(token: &TokenTree) -> Option<String> {
    let TokenTree::Literal(literal) = token else { return None };
    Some(literal.to_string().strip_prefix('"')?.strip_suffix('"')?.to_owned())
}

/// The one string that is all there is in parentheses.
fn only_literal(group: &Group) -> Option<String> {
    let mut tokens = group.stream().into_iter();
    let first = tokens.next().filter(|_| group.delimiter() == Delimiter::Parenthesis)?;
    tokens.next().is_none().then(|| text_of(&first))?
}

/// A variant's name as clap gives it to a command: `DbStart` is `db-start`.
fn kebab(name: &str) -> String {
    let mut out = String::new();
    for c in name.chars() {
        if c.is_ascii_uppercase() && !out.is_empty() {
            out.push('-');
        }
        out.push(c.to_ascii_lowercase());
    }
    out
}

fn is(token: &TokenTree, name: &str) -> bool {
    matches!(token, TokenTree::Ident(ident) if ident == name)
}

#[cfg(test)]
mod tests {
    use expect_test::expect;

    use super::*;

    #[test]
    fn the_call_is_the_first_thing_that_main_does() {
        let call = "    call();";
        let source = "//! fn main() {}\n#[tokio::main]\nasync fn main() -> Result<(), Box<dyn Error>> {\n    // ö\n    run()\n}\n\nmod m { fn main() {} }\n";
        expect![[r#"
            //! fn main() {}
            #[tokio::main]
            async fn main() -> Result<(), Box<dyn Error>> {
                call();
                // ö
                run()
            }

            mod m { fn main() {} }
        "#]]
        .assert_eq(&with_call(source, call).unwrap());
        expect![[r#"
            const S: &str = "fn main() {";
            fn main() {
                call();
                x() }
        "#]]
        .assert_eq(&with_call("const S: &str = \"fn main() {\";\nfn main() { x() }\n", call).unwrap());
        for empty in ["pub fn main() {}\n", "pub fn main() { }\n"] {
            assert_eq!(with_call(empty, call).unwrap(), "pub fn main() {\n    call();\n}\n");
        }
        for source in ["fn other() {}", "mod m { fn main() {} }", "fn main( {", "entry!(main);", "fn main(x: u8) {}"] {
            assert_eq!(with_call(source, call), None, "{source}");
        }
    }

    #[test]
    fn a_crate_is_used_in_code_and_not_in_a_comment() {
        assert!(uses("fn main() { migrator_xtask::main() }", "migrator_xtask"));
        assert!(!uses("// migrator_xtask\nfn main() {}", "migrator_xtask"));
    }

    #[test]
    fn tasks_are_found_however_they_are_written() {
        let names = ["check", "ci", "dist", "new", "db", "up"];
        for (source, expected) in [
            ("fn f() { match a { Some(\"ci\") | Some(\"dist\") => {} _ => {} } }", &["ci", "dist"][..]),
            (
                "#[derive(Subcommand)] enum Command { /// x\n Ci, #[command(name = \"check\")] Lint(Args), Codegen { new: u8 } }",
                &["check", "ci"],
            ),
            ("fn f() { Command::new(\"x\").subcommand(Command::new(\"dist\")) }", &["dist"]),
            ("xflags::xflags! { cmd app { cmd ci {} } }", &["ci"]),
            ("/// up\nfn new() { let db = ci(); cargo(&[\"check\"]).arg(\"new\"); run(\"cargo check\") }", &[]),
            ("fn f() { if task == \"check\" || \"ci\" == task {} }", &["check", "ci"]),
        ] {
            assert_eq!(tasks(source, &names).into_iter().collect::<Vec<_>>(), expected, "{source}");
        }
    }
}
