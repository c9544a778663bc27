use super::*;

fn column(name: &str, base: &str, sql: &str) -> Column {
    Column {
        name: name.to_owned(),
        base: base.to_owned(),
        sql_type: sql.to_owned(),
        declared: sql.to_owned(),
        ..Column::default()
    }
}

fn statistics(columns: &str) -> stats::Table {
    let text = format!(
        r#"{{"name":"t","kind":"table","rows":1000,"pages":1,"bytes":1,"toast_bytes":0,"width":1,
        "activity":{{"sequential_scans":0,"index_scans":0,"inserted":0,"updated":0,"deleted":0}},"indexes":[],"columns":[{columns}]}}"#
    );
    serde_json::from_str(&text).unwrap()
}

#[test]
fn rows_are_as_wide_as_empty_and_as_different_as_the_statistics_say() {
    let takes = Takes {
        columns: vec![
            column("id", "", "bigint"),
            column("other_id", "int8", "bigint"),
            column("state", "varchar", "character varying(20)"),
            column("odd", "hypercube", "hypercube"),
        ],
        references: vec![crate::prove::data::takes::Reference {
            columns: vec!["other_id".to_owned()],
            table: "o".to_owned(),
            others: vec!["id".to_owned()],
        }],
        unique: vec![vec!["id".to_owned()]],
        checks: Vec::new(),
    };
    let statistics = statistics(
        r#"{"name":"id","type":"bigint","width":8,"nulls":0,"distinct":-1},
        {"name":"state","type":"character varying(20)","width":15,"nulls":0.25,"distinct":4}"#,
    );
    let (others, careful) = (BTreeMap::from([("o".to_owned(), 7)]), BTreeSet::new());
    let asked = Asked { takes: &takes, statistics: &statistics, rows: 1000, others: &others, careful: &careful };
    let columns = asked.columns();
    assert_eq!(columns.len(), 3, "{columns:?}");
    assert_eq!(columns[0].1, "g::bigint");
    assert!(columns[1].1.contains(", 7)"), "{columns:?}");
    let state = &columns[2].1;
    assert!(state.contains(">= 250") && state.contains(", 4)") && state.contains("14)"), "{state}");
    assert!(asked.insert("t", (1, 10)).contains("generate_series(1::bigint, 10::bigint)"));
}

#[test]
fn numbers_fit_their_precision() {
    assert_eq!(numeric(&column("n", "numeric", "numeric(4,2)"), "g"), "(mod(g, 10000)::numeric / 100)::numeric(4,2)");
    assert_eq!(numeric(&column("n", "numeric", "numeric(3)"), "g"), "(mod(g, 1000)::numeric / 1)::numeric(3)");
    assert_eq!(numeric(&column("n", "numeric", "numeric"), "g"), "(mod(g, 100000000000000)::numeric / 100)::numeric");
}
