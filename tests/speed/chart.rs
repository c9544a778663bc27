//! One picture: seconds for the same migrations. SVG as text, readable on a light and on a dark page. Pure.

use std::fmt::Write as _;

use crate::acceptance::Parts;
use crate::figures::Figures;
use crate::stats::short;

const WIDTH: f64 = 720.0;
/// Where the bars begin, and how long the longest is.
const LEFT: f64 = 110.0;
const LONGEST: f64 = 520.0;
const ROW: f64 = 20.0;

const STYLE: &str = "<style>
text { font: 13px system-ui, sans-serif; fill: #24292f }
.title { font-weight: 600 }
.bar { fill: #8c959f }
.us { fill: #0969da }
.floor { fill: #d0d7de }
@media (prefers-color-scheme: dark) {
text { fill: #e6edf3 }
.bar { fill: #6e7681 }
.us { fill: #58a6ff }
.floor { fill: #3d444d }
}
</style>
";

const GROUPS: [(&str, &str, &str); 3] = [
    ("many", "10,000 tiny", "10,000 tiny migrations, seconds"),
    ("many", "1,000 x (table + index)", "1,000 tables with an index, seconds"),
    ("delay", "up, 100 x (table + index), trust, 50 ms", "100 tables with an index at 50 ms, seconds"),
];

/// The picture; empty groups are left out.
pub(crate) fn svg(parts: &Parts) -> String {
    let (mut body, mut y) = (String::new(), 10.0);
    for (part, case, title) in GROUPS {
        let bars = parts.part(part).map(|part| bars(part, case)).unwrap_or_default();
        if bars.is_empty() {
            continue;
        }
        y += ROW;
        let _ = writeln!(body, "<text class=\"title\" x=\"10\" y=\"{y}\">{title}</text>");
        let most = bars.iter().map(|(_, seconds)| *seconds).fold(f64::MIN_POSITIVE, f64::max);
        for (tool, seconds) in bars {
            y += ROW;
            let (top, length) = (y - 12.0, (LONGEST * seconds / most).max(1.0));
            let class = match tool {
                "us" => "us",
                "floor" | "floor, simple" => "floor",
                _ => "bar",
            };
            let _ = writeln!(body, "<text x=\"{:.0}\" y=\"{y}\" text-anchor=\"end\">{tool}</text>", LEFT - 8.0);
            let _ = writeln!(
                body,
                "<rect class=\"{class}\" x=\"{LEFT}\" y=\"{top}\" width=\"{length:.1}\" height=\"15\" rx=\"2\"/>"
            );
            let _ = writeln!(body, "<text x=\"{:.1}\" y=\"{y}\">{}</text>", LEFT + length + 6.0, short(seconds));
        }
        y += ROW / 2.0;
    }
    let height = y + 10.0;
    format!(
        "<svg xmlns=\"http://www.w3.org/2000/svg\" viewBox=\"0 0 {WIDTH} {height}\" width=\"{WIDTH}\" height=\"{height}\" role=\"img\">\n\
         <title>Seconds for the same migrations</title>\n{STYLE}{body}</svg>\n"
    )
}

/// Tools and their medians, the quickest first.
fn bars<'a>(part: &'a Figures, case: &str) -> Vec<(&'a str, f64)> {
    let all = part.tools().into_iter().filter_map(|tool| Some((tool, part.median(case, tool, "wall s")?)));
    let mut bars: Vec<_> = all.collect();
    bars.sort_by(|one, other| one.1.total_cmp(&other.1));
    bars
}
