use proptest::prelude::*;

use super::*;

fn domains() -> Domains {
    let mut domains = Domains::default();
    domains.insert("app.tags", "AS text[] NOT NULL");
    domains.insert("app.\"My tags\"", "AS app.tags DEFAULT '{}'::text[]");
    domains.insert("app.short", "AS character varying(5)[]");
    domains.insert("app.status", "AS text COLLATE \"C\"");
    domains
}

fn canonical_of(text: &str) -> String {
    canonical("constraint", text, &domains()).into_owned()
}

/// What the server says of the original, and of the restored copy: both are brought to the same form.
#[track_caller]
fn same(original: &str, restored: &str, expected: &str) {
    assert_eq!(canonical_of(original), expected);
    assert_eq!(canonical_of(restored), expected);
}

#[test]
fn nested_ands_and_ors_of_the_same_kind_are_one() {
    let flat = "CHECK (((i >= 1) AND (i <= 9) AND (j > 2)))";
    same("CHECK ((((i >= 1) AND (i <= 9)) AND (j > 2)))", flat, flat);
    let flat = "((a = 1) OR (a = 2) OR (a = 3) OR (a = 4))";
    same("((((a = 1) OR (a = 2)) OR (a = 3)) OR (a = 4))", flat, flat);
    same("((a = 1) OR ((a = 2) OR ((a = 3) OR (a = 4))))", flat, flat);
    let mixed = "(((a) AND (b)) OR ((c) AND (d)) OR (e))";
    same("((((a) AND (b)) OR ((c) AND (d))) OR (e))", mixed, mixed);
    same("(a AND (b AND c) AND NOT d)", "(a AND b AND c AND NOT d)", "(a AND b AND c AND NOT d)");
    let inside = "(f((a AND b AND c)) AND (NOT (d OR e)) AND g)";
    same("((f(((a AND b) AND c)) AND (NOT (d OR e))) AND g)", inside, inside);
}

#[test]
fn a_cast_of_an_array_is_one_of_its_elements() {
    same(
        "CHECK (((vc)::text = ANY ((ARRAY['a'::character varying, 'b'::character varying])::text[])))",
        "CHECK (((vc)::text = ANY (ARRAY[('a'::character varying)::text, ('b'::character varying)::text])))",
        "CHECK (((vc)::text = ANY (ARRAY[('a'::character varying)::text, ('b'::character varying)::text])))",
    );
    same(
        "app.f((ARRAY[1, t.i])::numeric(5,1)[])",
        "app.f(ARRAY[(1)::numeric(5,1), (t.i)::numeric(5,1)])",
        "app.f(ARRAY[(1)::numeric(5,1), (t.i)::numeric(5,1)])",
    );
    same(
        "((ARRAY[ARRAY[NULL::numeric, (1)::numeric], ARRAY[f(a, b), '-1'::numeric]])::double precision[])[1]",
        "(ARRAY[ARRAY[(NULL::numeric)::double precision, ((1)::numeric)::double precision], ARRAY[(f(a, b))::double precision, ('-1'::numeric)::double precision]])[1]",
        "(ARRAY[ARRAY[(NULL::numeric)::double precision, ((1)::numeric)::double precision], ARRAY[(f(a, b))::double precision, ('-1'::numeric)::double precision]])[1]",
    );
    // Restored once, and once more.
    same(
        "(x = ((ARRAY[1, 2])::bigint[])::numeric[])",
        "(x = (ARRAY[(1)::bigint, (2)::bigint])::numeric[])",
        "(x = ARRAY[((1)::bigint)::numeric, ((2)::bigint)::numeric])",
    );
    same(
        "p((ARRAY[0.5])::timestamp(3) without time zone[]) WITHIN GROUP (ORDER BY x)",
        "p(ARRAY[(0.5)::timestamp(3) without time zone]) WITHIN GROUP (ORDER BY x)",
        "p(ARRAY[(0.5)::timestamp(3) without time zone]) WITHIN GROUP (ORDER BY x)",
    );
}

#[test]
fn a_cast_to_a_domain_over_an_array_reaches_the_elements() {
    let tags = "f((ARRAY[(t.a)::text, (t.b)::text])::app.tags)";
    same("f((ARRAY[t.a, t.b])::app.tags)", tags, tags);
    let mine = "f((ARRAY[('a'::character varying)::text])::app.\"My tags\")";
    same("f((ARRAY['a'::character varying])::app.\"My tags\")", mine, mine);
    let short = "f((ARRAY['a'::character varying(5), (t.b)::character varying(5)])::app.short)";
    same("f((ARRAY['a'::character varying, t.b])::app.short)", short, short);
    // No array, and not known.
    for text in ["f((ARRAY[t.a])::app.status)", "f((ARRAY[t.a])::app.other)"] {
        same(text, text, text);
    }
}

#[test]
fn a_join_without_a_condition_is_one_with_a_true_one() {
    same("(a LEFT JOIN b ON TRUE)", "(a LEFT JOIN b ON (true))", "(a LEFT JOIN b ON (true))");
}

#[test]
fn a_name_that_the_parser_gives_to_a_constant_is_left_out() {
    same(
        "( SELECT 'a'::text AS kind\nUNION ALL\n SELECT NULL::text,\n    '-1'::integer)",
        "( SELECT 'a'::text AS kind\nUNION ALL\n SELECT NULL::text AS text,\n    '-1'::integer AS int4)",
        "( SELECT 'a'::text AS kind\nUNION ALL\n SELECT NULL::text,\n    '-1'::integer)",
    );
    for (type_name, name) in [
        ("bigint", "int8"),
        ("smallint", "int2"),
        ("double precision", "float8"),
        ("real", "float4"),
        ("numeric(3,1)", "\"numeric\""),
        ("boolean", "bool"),
        ("character varying(5)", "\"varchar\""),
        ("character(3)[]", "bpchar"),
        ("bit varying(3)", "varbit"),
        ("\"char\"", "\"char\""),
        ("timestamp(3) with time zone", "timestamptz"),
        ("timestamp without time zone", "\"timestamp\""),
        ("time with time zone", "timetz"),
        ("interval day to second(3)", "\"interval\""),
        ("app.\"My \"\"mood\"\"\"[]", "\"My \"\"mood\"\"\""),
    ] {
        let unnamed = format!("( SELECT NULL::{type_name} FROM t AS \"?\")");
        same(&unnamed, &unnamed.replace(" FROM", &format!(" AS {name} FROM")), &unnamed);
    }
    for text in ["SELECT 'a'::text AS \"?column?\"", "SELECT (x)::text AS text", "SELECT 'a'::text AS integer"] {
        same(text, text, text);
    }
}

/// Strings, names and what the server writes in one way only.
#[test]
fn everything_else_stays_as_it_is() {
    for text in [
        "CHECK ((a = ' AND (b AND (c AND d))'::text))",
        "((\"AND\" = 1) OR (\"(ARRAY[\" = 2))",
        "(((a AND b) IS TRUE) AND c)",
        "(((a AND b))::integer = 1) AND (c)",
        "((a OR b) AND (c OR d))",
        "sum(x) OVER (ORDER BY y ROWS BETWEEN (1 AND 2) PRECEDING AND (3 AND 4) FOLLOWING)",
        "ROW((a AND b), c, (d AND e))",
        "(x = ARRAY['a'::text, 'b'::text]) AND (y = ARRAY[]::text[])",
        "(x = (ARRAY[]::character varying[])::text[]) AND (ARRAY[1] = y)",
        "((ARRAY[1, 2])[1] = 1) AND ((ARRAY[1] || 2))::bigint[]",
        "AS $a$ SELECT (ARRAY['x'])::text[], ((a AND b) AND c) $b$ $a$ AND",
        "(E'\\'(' = 'a') AND ($1 = 1) AND ($2 = 2)",
        "it''s 'open AND ((a AND b) AND c)",
        "((a AND b) AND c] (ARRAY[1])::text[]",
        "\n    CASE\n        WHEN ((a) AND (b)) THEN 1\n    END",
    ] {
        assert_eq!(canonical_of(text), text);
    }
}

#[test]
fn only_definitions_that_hold_expressions_are_read() {
    let text = "((a AND b) AND c)";
    for (kind, expected) in
        [("comment", text), ("setting", text), ("foreign-server", text), ("view", "(a AND b AND c)")]
    {
        assert_eq!(canonical(kind, text, &domains()), expected, "{kind}");
    }
    let column = "#1 text DEFAULT ((a AND b) AND c) OPTIONS (name=((a AND b) AND c))";
    let expected = "#1 text DEFAULT (a AND b AND c) OPTIONS (name=((a AND b) AND c))";
    assert_eq!(canonical("column", column, &domains()), expected);
}

#[test]
fn no_depth_is_too_deep() {
    let depth = 100_000;
    let text = format!("{}a{}", "(".repeat(depth), " AND b)".repeat(depth));
    assert_eq!(canonical_of(&text), format!("(a{})", " AND b".repeat(depth)));
    let text = format!("{}1{}", "(ARRAY[".repeat(300), "])::text[]".repeat(300));
    assert!(canonical_of(&text).starts_with("ARRAY[ARRAY["));
}

/// AND and OR over four columns.
#[derive(Debug, Clone)]
enum Tree {
    Column(usize),
    Of(bool, Vec<Tree>),
}

impl Tree {
    /// As the server writes it.
    fn text(&self) -> String {
        match self {
            Tree::Column(column) => format!("(c{column} = 1)"),
            Tree::Of(and, operands) => {
                let operands: Vec<String> = operands.iter().map(Tree::text).collect();
                format!("({})", operands.join(if *and { " AND " } else { " OR " }))
            }
        }
    }

    fn holds(&self, row: usize) -> bool {
        match self {
            Tree::Column(column) => row >> column & 1 == 1,
            Tree::Of(true, operands) => operands.iter().all(|operand| operand.holds(row)),
            Tree::Of(false, operands) => operands.iter().any(|operand| operand.holds(row)),
        }
    }

    /// The parser's tree of the same text: what is left of an AND is taken into it.
    fn restored(&self) -> Tree {
        let Tree::Of(and, operands) = self else { return self.clone() };
        let mut operands: Vec<Tree> = operands.iter().map(Tree::restored).collect();
        while let Some(Tree::Of(inner, _)) = operands.first()
            && inner == and
        {
            let Tree::Of(_, first) = operands.remove(0) else { continue };
            operands.splice(0..0, first);
        }
        Tree::Of(*and, operands)
    }
}

fn tree() -> impl Strategy<Value = Tree> {
    let column = (0..4_usize).prop_map(Tree::Column);
    column.prop_recursive(5, 40, 4, |inner| {
        (any::<bool>(), proptest::collection::vec(inner, 2..4)).prop_map(|(and, operands)| Tree::Of(and, operands))
    })
}

proptest! {
    #[test]
    fn a_restored_condition_has_the_same_form(tree in tree()) {
        prop_assert_eq!(canonical_of(&tree.text()), canonical_of(&tree.restored().text()));
    }

    /// Never are two conditions of one form that some row tells apart.
    #[test]
    fn conditions_of_one_form_hold_for_the_same_rows(one in tree(), other in tree()) {
        if canonical_of(&one.text()) == canonical_of(&other.text()) {
            prop_assert!((0..16).all(|row| one.holds(row) == other.holds(row)));
        }
    }

    /// The form of a form is itself, whatever the text; and nothing is lost but parentheses, casts and spaces.
    #[test]
    fn any_text_has_one_form(text in "[(\\[\\]),':. aA\"$é]{0,12}( AND | OR |\\(ARRAY\\[|\\]\\)::text\\[\\]|::text|[(\\[\\]),':. a\"$é]){0,12}") {
        let once = canonical_of(&text);
        prop_assert_eq!(canonical_of(&once), once);
    }
}
