//! What was promised, beside what was measured. Pure.

use crate::figures::Figures;
use crate::stats::{Ratio, median, ratio, short, spread};

/// One promise.
#[derive(Debug, Clone, PartialEq)]
pub(crate) struct Line {
    pub(crate) what: &'static str,
    pub(crate) wanted: String,
    /// `None`: it was not measured.
    pub(crate) outcome: Option<(String, bool)>,
}

/// The parts by name.
pub(crate) struct Parts<'a>(pub(crate) &'a [Figures]);

impl Parts<'_> {
    pub(crate) fn part(&self, name: &str) -> Option<&Figures> {
        self.0.iter().find(|part| part.part == name)
    }

    fn median(&self, part: &str, case: &str, tool: &str, metric: &str) -> Option<f64> {
        self.part(part)?.median(case, tool, metric)
    }

    fn wall(&self, part: &str, case: &str, tool: &str) -> Option<f64> {
        self.median(part, case, tool, "wall s")
    }

    /// How many times as long as on the machine for which the promises were made the processor takes here, by the quickest run of the
    /// floor: other parts may have been measured in a better hour. 1 where that was not measured.
    pub(crate) fn pace(&self) -> f64 {
        let floor = self.part("many").and_then(|part| part.series(TINY_ALONE, "floor", "wall s")).and_then(spread);
        floor.map_or(1.0, |(quickest, _)| quickest / FLOOR)
    }

    /// The best of the other migration tools.
    fn best_peer(&self, part: &str, case: &str, metric: &str) -> Option<(&'static str, f64)> {
        let all = PEERS.iter().filter_map(|peer| Some((*peer, self.median(part, case, peer, metric)?)));
        all.min_by(|one, other| one.1.total_cmp(&other.1))
    }
}

/// The other migration tools, as the figures name them.
pub(crate) const PEERS: [&str; 4] = ["dbmate", "sqlx", "refinery", "diesel"];

/// Seconds that the floor took for 10,000 tiny migrations where the promises were made.
const FLOOR: f64 = 0.35;

/// Seconds that it took there for 100 migrations behind 50 ms.
const FAR_FLOOR: f64 = 0.37;

const TINY: &str = "10,000 tiny";
const TABLES: &str = "1,000 x (table + index)";
const TINY_ALONE: &str = "10,000 tiny, only the floor and us";
const TABLES_ALONE: &str = "1,000 x (table + index), only the floor and us";

/// All promises.
pub(crate) fn lines(parts: &Parts) -> Vec<Line> {
    let mut lines = many(parts);
    lines.extend(far(parts));
    lines.extend(nothing_to_do(parts));
    lines.extend(developer(parts));
    lines
}

fn line(what: &'static str, wanted: &str, outcome: Option<(String, bool)>) -> Line {
    Line { what, wanted: wanted.to_owned(), outcome }
}

/// At most a limit.
fn at_most(what: &'static str, limit: f64, unit: &str, figure: Option<f64>) -> Line {
    let of = |figure: f64| format!("{} {unit}", short(figure)).trim_end().to_owned();
    let outcome = figure.map(|figure| (of(figure), figure <= limit));
    Line { what, wanted: format!("at most {}", of(limit)), outcome }
}

/// At most a limit for work of the processor, at the pace of this machine.
fn at_most_here(what: &'static str, limit: f64, unit: &str, pace: f64, figure: Option<f64>) -> Line {
    let wanted = format!("at most {} {unit} x {}: {} {unit}", short(limit), short(pace), short(limit * pace));
    Line { wanted, ..at_most(what, limit * pace, unit, figure) }
}

/// At most a multiple of another figure.
fn at_most_times(what: &'static str, times: f64, than: &str, figures: Option<(f64, f64)>) -> Line {
    let wanted = format!("at most {} x {than}", short(times));
    let outcome = figures.map(|(ours, other)| {
        (format!("{} to {}: {} x", short(ours), short(other), short(ours / other)), ours <= other * times)
    });
    Line { what, wanted, outcome }
}

/// The same of what took turns: by the ratios of the rounds, of which a slow minute of the machine changes none.
fn at_most_times_each(what: &'static str, times: f64, than: &str, series: Option<(&[f64], &[f64])>) -> Line {
    let outcome = series.and_then(|(ours, others)| {
        let (of, ours, other) = (ratio(ours, others)?, median(ours)?, median(others)?);
        let said = format!(
            "{} to {}: {} x, {} to {}",
            short(ours),
            short(other),
            short(of.median),
            short(of.least),
            short(of.most)
        );
        Some((said, of.median <= times))
    });
    Line { what, wanted: format!("at most {} x {than}", short(times)), outcome }
}

fn many(parts: &Parts) -> Vec<Line> {
    let us = |case: &str| parts.wall("many", case, "us");
    let series = |part, case, tool| parts.part(part)?.series(case, tool, "wall s");
    let both = |part, case, tool| series(part, case, "us").zip(series(part, case, tool));
    let beside = |case, tool| both("many", case, tool);
    let ahead = |case: &str| {
        let (peer, best) = parts.best_peer("many", case, "wall s")?;
        us(case).map(|ours| (format!("{} s; {peer} {} s", short(ours), short(best)), ours < best))
    };
    let cpu = parts.median("many", TINY, "us", "server CPU us per migration");
    let same_rounds = parts.wall("many", TINY, "floor").map_or(1.0, |floor| floor / FLOOR);
    let fence = |case: &str| parts.median("fence", case, "us", "server CPU us per migration");
    let locks = fence("2,000 locks of another session").zip(fence("no other locks"));
    let plain = "one `transaction:false` file of 4,600 statements";
    vec![
        at_most_times_each(
            "10,000 tiny migrations, s",
            1.0 / FLOOR,
            "the floor (1.0 s where it is .35 s)",
            beside(TINY_ALONE, "floor"),
        ),
        at_most_times_each("10,000 tiny migrations, s", 1.0 / 2.5, "diesel", beside(TINY, "diesel")),
        line("10,000 tiny migrations", "ahead of every peer", ahead(TINY)),
        at_most_here("server CPU per tiny migration", 120.0, "us", same_rounds, cpu),
        at_most_times("the same with 2,000 locks of another session, us", 1.1, "without", locks),
        at_most_times_each("1,000 tables with an index, s", 1.1, "the floor", beside(TABLES_ALONE, "floor")),
        line("1,000 tables with an index", "ahead of every peer", ahead(TABLES)),
        line(
            "real histories from zero",
            "none slower than dbmate, by the pairs of each round and with 95 % certainty",
            histories(parts),
        ),
        at_most_times_each(
            "4,600 statements in one `transaction:false` file, s",
            2.0,
            "dbmate",
            both("plain", plain, "dbmate"),
        ),
    ]
}

fn histories(parts: &Parts) -> Option<(String, bool)> {
    let part = parts.part("histories")?;
    let wall = |case, tool| part.series(case, tool, "wall s");
    let pairs: Vec<(&str, Ratio)> = part
        .cases()
        .into_iter()
        .filter_map(|case| Some((case, ratio(wall(case, "us")?, wall(case, "dbmate")?)?)))
        .collect();
    // A median just above 1 is slower if the noise of the pairs leaves no doubt; else the two cannot be told apart.
    let named = |is: &dyn Fn(&Ratio) -> bool| -> Vec<String> {
        let those = pairs.iter().filter(|(_, ratio)| is(ratio));
        let name = |case: &str| case.split(',').next().unwrap_or_default().to_owned();
        those
            .map(|(case, of)| {
                format!("{} ({} x, {} to {})", name(case), short(of.median), short(of.least), short(of.most))
            })
            .collect()
    };
    let slower = named(&|ratio| ratio.least > 1.0);
    let faster = named(&|ratio| ratio.most < 1.0);
    let undecided = named(&|ratio| ratio.least <= 1.0 && ratio.most >= 1.0);
    let groups = [("slower", &slower), ("within the noise", &undecided), ("faster", &faster)];
    let groups = groups.iter().filter(|(_, names)| !names.is_empty());
    let said: Vec<String> =
        groups.map(|(word, names)| format!("{word} in {}: {}", names.len(), names.join(", "))).collect();
    (!pairs.is_empty()).then(|| (said.join("; "), slower.is_empty()))
}

fn far(parts: &Parts) -> Vec<Line> {
    let (one, far) = ("up, 1 x (table + index)", "up, 100 x (table + index), trust, 50 ms");
    let far_series = |tool| parts.part("delay")?.series(far, tool, "wall s");
    let trips = parts.median("counts", one, "us", "round trips");
    let connections = parts.median("counts", one, "us", "connections");
    vec![
        at_most("round trips of one migration, trust", 6.0, "", trips),
        at_most("connections for one migration, trust", 1.0, "", connections),
        at_most(
            "one migration at 50 ms, SCRAM and TLS",
            0.6,
            "s",
            parts.wall("delay", "up, 1 x (table + index), SCRAM and TLS, 50 ms", "us"),
        ),
        at_most_times_each(
            "100 migrations at 50 ms, s",
            0.5 / FAR_FLOOR,
            "the floor (0.5 s where it is .37 s)",
            far_series("us").zip(far_series("floor")),
        ),
    ]
}

fn nothing_to_do(parts: &Parts) -> Vec<Line> {
    let trips = parts.median("counts", "no-op, 1,000 x (table + index)", "us", "round trips");
    let case = "no-op, 10,000 tiny applied";
    let series = |case, tool, metric| parts.part("noop")?.series(case, tool, metric);
    let beside = |metric| series(case, "us", metric).zip(series(case, "dbmate", metric));
    let events = |case: &str| parts.wall("noop", case, "us");
    vec![
        at_most("round trips of a no-op: two, and the beginning of the connection", 3.0, "", trips),
        at_most_times_each("no-op with 10,000 applied, s", 1.0, "dbmate", beside("wall s")),
        at_most_times_each("no-op with 10,000 applied, MB", 1.0, "dbmate", beside("peak memory MB")),
        at_most_times(
            "no-op after 100,000 events, s",
            1.1,
            "without them",
            events("no-op behind 100,000 events").zip(events("no-op behind 1,000 events")),
        ),
    ]
}

fn developer(parts: &Parts) -> Vec<Line> {
    let pace = parts.pace();
    let build = |case: &str, metric: &str| parts.median("builds", case, "us", metric);
    let mut lines = vec![
        at_most_here(
            "cold `cargo xtask migrate up`, 30 % less than 342",
            342.0 * 0.7,
            "CPU s",
            pace,
            build("cold `cargo xtask migrate up`", "CPU s"),
        ),
        at_most_here(
            "one SQL file changed, debug",
            1.0,
            "s",
            pace,
            build("one SQL file changed, debug, `cargo xtask migrate list`", "wall s"),
        ),
        at_most_here(
            "one SQL file changed, release",
            1.0,
            "s",
            pace,
            build("one SQL file changed, release, of 1", "wall s"),
        ),
        at_most_here(
            "one SQL file of 1,000 changed, release",
            1.0,
            "s",
            pace,
            build("one SQL file changed, release, of 1000", "wall s"),
        ),
        at_most_here("nothing changed", 0.4, "s", pace, build("nothing changed, `cargo xtask migrate list`", "wall s")),
        at_most_here(
            "planning 10,000, half applied",
            15.0,
            "ms",
            pace,
            parts.median("library", "planning, half applied", "10000", "ms"),
        ),
    ];
    for (what, case) in [
        ("`verify`, ms for each of 10,000", "verify"),
        ("`check`, ms for each of 10,000", "check"),
        ("`dump`, ms for each of 10,000", "dump"),
        ("`drift`, ms for each of 10,000", "drift"),
    ] {
        let per = |count: &str| parts.median("objects", case, count, "ms per object");
        lines.push(at_most_times(what, 1.5, "for each of 1,000", per("10000").zip(per("1000"))));
    }
    lines.push(line("the chaos sweep", "no promise broken", None));
    lines
}
