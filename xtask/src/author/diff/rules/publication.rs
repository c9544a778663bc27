//! A publication: it holds nothing, and is made again with all its tables.

use migrator_engine::facts::Difference;

use crate::author::diff::key::Key;
use crate::author::diff::work::Work;

pub(super) fn differs(work: &mut Work<'_>, key: &Key, _: &Difference) {
    let publication = Key::new(&key.object, "publication", "");
    let (from, to) = (work.from, work.to);
    if from.has(&publication) {
        work.gone.insert(publication.clone());
    }
    if to.has(&publication) {
        work.made.extend(to.dependents(&publication).iter().map(|(part, _)| part.clone()));
        work.made.insert(publication);
    }
}
