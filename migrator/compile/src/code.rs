//! The stable codes of everything that can be wrong with a db directory.

/// The stable code of a problem: messages may be reworded, a code keeps its meaning and is never reused.
///
/// The rule that reports it declares it, in `contract/<rule>.rs`. Codes compare by name.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Code(&'static Meaning);

/// What a rule declares.
#[derive(Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub(crate) struct Meaning {
    name: &'static str,
    title: &'static str,
    severity: Severity,
    dbmate: bool,
}

impl Meaning {
    /// A mistake that stops the build.
    pub(crate) const fn error(name: &'static str, title: &'static str) -> Meaning {
        Meaning { name, title, severity: Severity::Error, dbmate: false }
    }

    /// Something worth a look.
    pub(crate) const fn warning(name: &'static str, title: &'static str) -> Meaning {
        Meaning { name, title, severity: Severity::Warning, dbmate: false }
    }

    /// A warning about what dbmate reads differently or rejects.
    pub(crate) const fn dbmate(name: &'static str, title: &'static str) -> Meaning {
        Meaning { name, title, severity: Severity::Warning, dbmate: true }
    }
}

impl Code {
    pub(crate) const fn new(meaning: &'static Meaning) -> Code {
        Code(meaning)
    }

    /// The code as messages show it: `M012`.
    pub fn as_str(self) -> &'static str {
        self.0.name
    }

    /// What the code means, in a few words.
    pub fn title(self) -> &'static str {
        self.0.title
    }

    /// The severity, unless the settings say otherwise.
    pub fn severity(self) -> Severity {
        self.0.severity
    }

    /// True for what dbmate reads differently or rejects: `[check] dbmate` sets the severity of these.
    pub fn is_dbmate(self) -> bool {
        self.0.dbmate
    }
}

/// Whether a problem stops the build.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Severity {
    /// Reported; the build continues.
    Warning,
    /// Reported; the build fails.
    Error,
}

impl std::fmt::Display for Code {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str(self.0.name)
    }
}

impl std::fmt::Debug for Code {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str(self.0.name)
    }
}
