//! One long file that says `transaction:false`: what recording every statement costs.

use anyhow::Result;

use super::{Bench, many};
use crate::figures::Figures;
use crate::server::Server;
use crate::tool::Kind;
use crate::workload::plain;

pub(crate) fn run(bench: &Bench, figures: &mut Figures) -> Result<()> {
    let workload = plain(4_600);
    figures.leave_out(&workload.title, Kind::Refinery.name(), "it has no such option");
    let runs = |kind: Kind| !kind.is_floor() && kind != Kind::Refinery;
    many::of_those(bench, &Server::start()?, &workload, bench.options.rounds(3), runs, figures)
}
