//! Who may do what.

use migrator_engine::facts::Difference;

use super::grants::On;
use crate::author::diff::catalog::Catalog;
use crate::author::diff::key::{Key, pieces, schema};
use crate::author::diff::work::Work;

/// What privileges are about.
struct Class {
    /// Of objects, as facts call them.
    kinds: &'static [&'static str],
    /// The word of a GRANT.
    word: &'static str,
    /// What default privileges call them; empty: there are none.
    plural: &'static str,
    /// What holds without any.
    default: &'static str,
    /// The letter of acldefault.
    letter: &'static str,
}

const CLASSES: &[Class] = &[
    Class {
        kinds: &["table", "view", "materialized-view", "foreign-table"],
        word: "TABLE",
        plural: "TABLES",
        default: "",
        letter: "r",
    },
    Class { kinds: &["sequence"], word: "SEQUENCE", plural: "SEQUENCES", default: "", letter: "s" },
    Class {
        kinds: &["function", "aggregate"],
        word: "FUNCTION",
        plural: "FUNCTIONS",
        default: "PUBLIC: EXECUTE",
        letter: "f",
    },
    Class { kinds: &["procedure"], word: "PROCEDURE", plural: "FUNCTIONS", default: "PUBLIC: EXECUTE", letter: "f" },
    Class { kinds: &["type"], word: "TYPE", plural: "TYPES", default: "PUBLIC: USAGE", letter: "T" },
    Class { kinds: &["domain"], word: "DOMAIN", plural: "TYPES", default: "PUBLIC: USAGE", letter: "T" },
    Class { kinds: &["schema"], word: "SCHEMA", plural: "SCHEMAS", default: "", letter: "n" },
    Class { kinds: &["foreign-data-wrapper"], word: "FOREIGN DATA WRAPPER", plural: "", default: "", letter: "F" },
    Class { kinds: &["foreign-server"], word: "FOREIGN SERVER", plural: "", default: "", letter: "S" },
];

/// What facts call the place of default privileges that are not those of a schema.
const GLOBAL: &[&str] = &["database", "-"];

impl Class {
    fn on<'a>(&self, of: &'a Catalog, what: String, columns: String) -> On<'a> {
        let everything = of.everything.get(self.letter).filter(|_| columns.is_empty());
        On { what, columns, default: self.default, everything, owner: "CURRENT_USER" }
    }
}

pub(super) fn differs(work: &mut Work<'_>, key: &Key, difference: &Difference) {
    let Key { object, part, .. } = key;
    let all = CLASSES.iter().flat_map(|class| class.kinds.iter().map(move |kind| (class, *kind)));
    // What goes takes its privileges along.
    let Some((class, kind)) = all.into_iter().find(|(_, kind)| work.to.has(&Key::new(object, kind, ""))) else {
        return;
    };
    let columns = if part.is_empty() { String::new() } else { format!(" ({part})") };
    let of = if part.is_empty() { Key::new(object, kind, "") } else { Key::new(object, "column", part) };
    let on = class.on(work.to, format!("ON {} {object}", class.word), columns);
    let all = on.between(difference.expected.as_deref(), difference.found.as_deref());
    work.finish.extend(all.into_iter().map(|sql| (of.clone(), sql)));
}

pub(super) fn by_default(work: &mut Work<'_>, key: &Key, difference: &Difference) {
    let Some(role) = pieces(&key.part, " ").first().copied() else { return };
    let Some(what) = key.part.strip_prefix(role).and_then(|rest| rest.strip_prefix(' ')) else { return };
    let (of_role, owner) = match role {
        "OWNER" => (String::new(), "CURRENT_USER"),
        role => (format!(" FOR ROLE {role}"), role),
    };
    let class = CLASSES.iter().find(|class| class.plural == what);
    let is_global = GLOBAL.contains(&key.object.as_str());
    let place = if is_global { String::new() } else { format!(" IN SCHEMA {}", key.object) };
    let on = On {
        what: format!("ON {what}"),
        columns: String::new(),
        default: class.map(|class| class.default).filter(|_| is_global).unwrap_or_default(),
        everything: class.and_then(|class| work.to.everything.get(class.letter)).filter(|_| is_global),
        owner,
    };
    let all = on.between(difference.expected.as_deref(), difference.found.as_deref());
    work.finish
        .extend(all.into_iter().map(|sql| (key.clone(), format!("ALTER DEFAULT PRIVILEGES{of_role}{place} {sql}"))));
}

/// What default privileges, as they are when the object is made, give too much or too little.
pub(crate) fn corrected(work: &Work<'_>, key: &Key) -> Vec<String> {
    let of_kind = |class: &&Class| key.part.is_empty() && key.is(class.kinds) && !class.plural.is_empty();
    let Some(class) = CLASSES.iter().find(of_kind) else { return Vec::new() };
    let part = format!("OWNER {}", class.plural);
    let given = |place: &str| work.from.facts().get(place, "default-privileges", &part);
    let (global, local) =
        (GLOBAL.iter().find_map(|place| given(place)), given(schema(&key.object)).filter(|_| key.kind != "schema"));
    if global.is_none() && local.is_none() {
        return Vec::new();
    }
    let on = class.on(work.to, format!("ON {} {}", class.word, key.object), String::new());
    on.corrected(global, local, work.to.facts().get(&key.object, "privileges", ""))
}
