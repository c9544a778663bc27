//! The stable names of everything that can be wrong with a db directory.

use crate::problem::Severity;

/// What is wrong, as a name that stays: messages may be reworded, codes keep their meaning and are never used again for
/// another one.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
#[non_exhaustive]
pub enum Code {
    /// M001
    NoDirectory,
    /// M002
    Unreadable,
    /// M003
    FileName,
    /// M004
    UnknownFile,
    /// M005
    VersionTooLarge,
    /// M006
    VersionUsedTwice,
    /// M007
    Encoding,
    /// M008
    ForeignFiles,
    /// M010
    NoUpMarker,
    /// M011
    TextBeforeUp,
    /// M012
    MarkerSpelling,
    /// M013
    MarkerTwice,
    /// M014
    DownBeforeUp,
    /// M015
    MarkerOption,
    /// M016
    MarkerInScript,
    /// M017
    Unchecked,
    /// M018
    EmptyUp,
    /// M020
    Syntax,
    /// M021
    Unterminated,
    /// M022
    PsqlCommand,
    /// M023
    CopyThroughPsql,
    /// M030
    TransactionControl,
    /// M031
    NeedsNoTransaction,
    /// M032
    UnmatchedTransaction,
    /// M033
    NotResumable,
    /// M034
    CheckIsNotAQuery,
    /// M035
    SearchPath,
    /// M040
    MissingHeader,
    /// M041
    Settings,
    /// M042
    UnknownSeed,
    /// M043
    SchemaFacts,
    /// M050
    DbmateMarkerInText,
    /// M051
    DbmateTextBeforeUp,
    /// M052
    DbmateNoDown,
    /// M053
    DbmateOneMessage,
    /// M054
    DbmateOrder,
    /// M055
    DbmateRole,
}

impl Code {
    /// Every code, ascending.
    pub const ALL: &[Code] = &[
        Code::NoDirectory,
        Code::Unreadable,
        Code::FileName,
        Code::UnknownFile,
        Code::VersionTooLarge,
        Code::VersionUsedTwice,
        Code::Encoding,
        Code::ForeignFiles,
        Code::NoUpMarker,
        Code::TextBeforeUp,
        Code::MarkerSpelling,
        Code::MarkerTwice,
        Code::DownBeforeUp,
        Code::MarkerOption,
        Code::MarkerInScript,
        Code::Unchecked,
        Code::EmptyUp,
        Code::Syntax,
        Code::Unterminated,
        Code::PsqlCommand,
        Code::CopyThroughPsql,
        Code::TransactionControl,
        Code::NeedsNoTransaction,
        Code::UnmatchedTransaction,
        Code::NotResumable,
        Code::CheckIsNotAQuery,
        Code::SearchPath,
        Code::MissingHeader,
        Code::Settings,
        Code::UnknownSeed,
        Code::SchemaFacts,
        Code::DbmateMarkerInText,
        Code::DbmateTextBeforeUp,
        Code::DbmateNoDown,
        Code::DbmateOneMessage,
        Code::DbmateOrder,
        Code::DbmateRole,
    ];

    /// The code as it stands in messages: `M012`.
    pub fn as_str(self) -> &'static str {
        self.row().0
    }

    /// What the code means, in a few words.
    pub fn title(self) -> &'static str {
        self.row().1
    }

    /// How seriously it is taken when the settings do not say otherwise.
    pub fn severity(self) -> Severity {
        match self {
            Code::EmptyUp | Code::SearchPath | Code::UnknownSeed => Severity::Warning,
            code if code.is_dbmate() => Severity::Warning,
            _ => Severity::Error,
        }
    }

    /// True for what is fine here but read otherwise, or refused, by dbmate: `[check] dbmate` decides about these.
    pub fn is_dbmate(self) -> bool {
        self >= Code::DbmateMarkerInText
    }

    fn row(self) -> (&'static str, &'static str) {
        match self {
            Code::NoDirectory => ("M001", "directory missing"),
            Code::Unreadable => ("M002", "file unreadable"),
            Code::FileName => ("M003", "file name"),
            Code::UnknownFile => ("M004", "file without a purpose"),
            Code::VersionTooLarge => ("M005", "version too large"),
            Code::VersionUsedTwice => ("M006", "version used twice"),
            Code::Encoding => ("M007", "encoding"),
            Code::ForeignFiles => ("M008", "migrations of another tool"),
            Code::NoUpMarker => ("M010", "no up marker"),
            Code::TextBeforeUp => ("M011", "text before the up marker"),
            Code::MarkerSpelling => ("M012", "marker misspelt"),
            Code::MarkerTwice => ("M013", "marker used twice"),
            Code::DownBeforeUp => ("M014", "down before up"),
            Code::MarkerOption => ("M015", "marker option"),
            Code::MarkerInScript => ("M016", "marker outside migrations"),
            Code::Unchecked => ("M017", "unchecked without a reason"),
            Code::EmptyUp => ("M018", "nothing to apply"),
            Code::Syntax => ("M020", "syntax"),
            Code::Unterminated => ("M021", "unterminated text"),
            Code::PsqlCommand => ("M022", "psql command"),
            Code::CopyThroughPsql => ("M023", "COPY data in the file"),
            Code::TransactionControl => ("M030", "transaction control"),
            Code::NeedsNoTransaction => ("M031", "needs `transaction:false`"),
            Code::UnmatchedTransaction => ("M032", "unmatched BEGIN or COMMIT"),
            Code::NotResumable => ("M033", "cannot be resumed"),
            Code::CheckIsNotAQuery => ("M034", "check is not a query"),
            Code::SearchPath => ("M035", "search_path"),
            Code::MissingHeader => ("M040", "missing header"),
            Code::Settings => ("M041", "settings"),
            Code::UnknownSeed => ("M042", "unknown seed"),
            Code::SchemaFacts => ("M043", "schema facts"),
            Code::DbmateMarkerInText => ("M050", "dbmate: marker inside text"),
            Code::DbmateTextBeforeUp => ("M051", "dbmate: text before the up marker"),
            Code::DbmateNoDown => ("M052", "dbmate: no down marker"),
            Code::DbmateOneMessage => ("M053", "dbmate: all statements in one message"),
            Code::DbmateOrder => ("M054", "dbmate: order of the files"),
            Code::DbmateRole => ("M055", "dbmate: role left behind"),
        }
    }
}

impl std::fmt::Display for Code {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str(self.as_str())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn codes_ascend_and_none_is_missing() {
        let texts: Vec<&str> = Code::ALL.iter().map(|code| code.as_str()).collect();
        assert!(texts.is_sorted_by(|a, b| a < b), "{texts:?}");
        // The last variant's discriminant counts the variants.
        assert_eq!(Code::ALL.len(), Code::DbmateRole as usize + 1);
    }
}
