//! The page of made-up figures.

use expect_test::expect;

use super::*;
use crate::machine::Stamp;

fn figures() -> Vec<Figures> {
    let stamp = Stamp {
        commit: "0123456789ab".to_owned(),
        date: "2026-11-26 20:00 UTC".to_owned(),
        command: "cargo xtask bench".to_owned(),
        machine: "2 x a processor".to_owned(),
        load: 0.25,
        versions: vec!["PostgreSQL 15.18".to_owned()],
    };
    let mut many = Figures { part: "many".to_owned(), stamp: stamp.clone(), ..Figures::default() };
    for (tool, samples) in [
        ("us", [0.9, 1.0, 1.1]),
        ("floor", [0.35, 0.35, 0.35]),
        ("dbmate", [7.0, 7.5, 8.0]),
        ("diesel", [0.95, 0.98, 1.2]),
    ] {
        samples.iter().for_each(|sample| many.add("10,000 tiny", tool, "wall s", *sample));
    }
    for (tool, sample) in [("us", 0.99), ("floor", 0.35)] {
        many.add("10,000 tiny, only the floor and us", tool, "wall s", sample);
    }
    many.add("10,000 tiny", "us", "server CPU us per migration", 118.0);
    many.leave_out("10,000 tiny", "sqlx", "not installed");
    many.leave_out("1,000 x (table + index)", "sqlx", "not installed");
    let mut histories = Figures { part: "histories".to_owned(), stamp, ..Figures::default() };
    for (case, us, dbmate) in
        [("a, 3 migrations", 1.0, 2.0), ("b, 4 migrations", 1.5, 1.2), ("c, 5 migrations", 1.0, 0.99)]
    {
        for noise in [0.9, 1.0, 1.1] {
            histories.add(case, "us", "wall s", us * noise);
            histories.add(case, "dbmate", "wall s", if case.starts_with('c') { dbmate } else { dbmate * noise });
        }
    }
    vec![many, histories]
}

#[test]
fn a_page_says_what_was_met_and_where_we_lose() {
    let page = text(&figures());
    let (_, page) = page.split_once("## Machine").unwrap();
    let said = page.lines().filter(|line| !line.contains("not measured here")).collect::<Vec<_>>().join("\n");
    expect![[r#"
         and versions

        - 2 x a processor
        - PostgreSQL 15.18

        | part | commit | date | load before | command |
        |---|---|---|---|---|
        | many | 0123456789ab | 2026-11-26 20:00 UTC | 0.250 | `cargo xtask bench` |
        | histories | 0123456789ab | 2026-11-26 20:00 UTC | 0.250 | `cargo xtask bench` |

        ## What was promised

        The promises were made on a machine on which the floor took .35 s for 10,000 tiny migrations. Here it takes at least 1 times as long: what the processor does alone may take so much longer, or has to be so much quicker.

        | | wanted | measured | |
        |---|---|---|---|
        | 10,000 tiny migrations, s | at most 2.86 x the floor (1.0 s where it is .35 s) | 0.990 to 0.350: 2.83 x, 2.83 to 2.83 | met |
        | 10,000 tiny migrations, s | at most 0.400 x diesel | 1 to 0.980: 0.947 x, 0.917 to 1.02 | **not met** |
        | 10,000 tiny migrations | ahead of every peer | 1 s; diesel 0.980 s | **not met** |
        | server CPU per tiny migration | at most 120 us x 1: 120 us | 118 us | met |
        | real histories from zero | none slower than dbmate, by the pairs of each round and with 95 % certainty | slower in 1: b (1.25 x, 1.25 to 1.25); within the noise in 1: c (1.01 x, 0.909 to 1.11); faster in 1: a (0.500 x, 0.500 to 0.500) | **not met** |

        ## Where we lose

        Every figure in which psql or another tool is ahead of us, whatever else it does or leaves undone.

        - 10,000 tiny, wall s: us 1; diesel 0.980 (1.02 x, within the spread)
        - b, 4 migrations, wall s: us 1.50; dbmate 1.20 (1.25 x)
        - c, 5 migrations, wall s: us 1; dbmate 0.990 (1.01 x, within the spread)

        ## Many migrations from zero

        Every run in a new database; what takes longer than 20 s is measured once; the ratios to the floor are of more rounds, in which only the two take turns; `client CPU` is the tool's, `server CPU` that of all the server's processes.

        | wall s | us | floor | dbmate | diesel |
        |---|---|---|---|---|
        | 10,000 tiny | 1 (0.900 to 1.10) | 0.350 | 7.50 (7 to 8) | 0.980 (0.950 to 1.20) |
        | 10,000 tiny, only the floor and us | 0.990 | 0.350 |  |  |

        | server CPU us per migration | us |
        |---|---|
        | 10,000 tiny | 118 |

        Not measured:

        - sqlx (10,000 tiny; 1,000 x (table + index)): not installed

        ## Real histories from zero

        Migrations of public projects, the same files for both tools, imported by `cargo xtask import` where they were another tool's. The two are compared round by round: the median of the ratios, and in what range that of all such rounds is with 95 % certainty.

        | wall s | us | dbmate |
        |---|---|---|
        | a, 3 migrations | 1 (0.900 to 1.10) | 2 (1.80 to 2.20) |
        | b, 4 migrations | 1.50 (1.35 to 1.65) | 1.20 (1.08 to 1.32) |
        | c, 5 migrations | 1 (0.900 to 1.10) | 0.990 |"#]].assert_eq(&said);
}

#[test]
fn a_chart_has_a_bar_for_each_tool() {
    let svg = chart::svg(&Parts(&figures()));
    let (_, body) = svg.split_once("</style>\n").unwrap();
    expect![[r#"
        <text class="title" x="10" y="30">10,000 tiny migrations, seconds</text>
        <text x="102" y="50" text-anchor="end">floor</text>
        <rect class="floor" x="110" y="38" width="24.3" height="15" rx="2"/>
        <text x="140.3" y="50">0.350</text>
        <text x="102" y="70" text-anchor="end">diesel</text>
        <rect class="bar" x="110" y="58" width="67.9" height="15" rx="2"/>
        <text x="183.9" y="70">0.980</text>
        <text x="102" y="90" text-anchor="end">us</text>
        <rect class="us" x="110" y="78" width="69.3" height="15" rx="2"/>
        <text x="185.3" y="90">1</text>
        <text x="102" y="110" text-anchor="end">dbmate</text>
        <rect class="bar" x="110" y="98" width="520.0" height="15" rx="2"/>
        <text x="636.0" y="110">7.50</text>
        </svg>
    "#]]
    .assert_eq(body);
}
