//! The variables of an environment, as libpq reads them.

use super::parameters::{KEYWORDS, Parameters, REFUSED};

/// The variables that libpq knows, as far as they matter.
#[derive(Default, Clone)]
pub(crate) struct Environment {
    pub(super) variables: Vec<(String, String)>,
}

impl Environment {
    /// The variables of this process.
    pub(crate) fn of_process() -> Environment {
        Environment::of(|name| std::env::var(name).ok())
    }

    /// Variables from elsewhere.
    pub(super) fn of(variable: impl Fn(&str) -> Option<String>) -> Environment {
        let names =
            KEYWORDS.iter().filter_map(|(_, variable)| *variable).chain(REFUSED.map(|(_, variable, _)| variable));
        let read = |name: &str| {
            let value = variable(name).filter(|value| !value.is_empty())?;
            Some((name.to_owned(), value))
        };
        let names = names.chain(["PGSYSCONFDIR", "HOME"]).filter(|name| !name.is_empty());
        let mut variables: Vec<_> = names.filter_map(read).collect();
        // libpq takes the name of the account, not what a variable says about it.
        variables.extend(whoami::username().ok().map(|name| ("account".to_owned(), name)));
        Environment { variables }
    }

    pub(super) fn get(&self, name: &str) -> Option<&str> {
        self.variables.iter().find(|(known, _)| known == name).map(|(_, value)| value.as_str())
    }

    pub(super) fn parameters(&self) -> Parameters {
        let mut parameters = Parameters::default();
        let refused = REFUSED.map(|(keyword, variable, _)| (keyword, Some(variable)));
        for (keyword, variable) in KEYWORDS.into_iter().chain(refused) {
            if let Some(value) = variable.and_then(|variable| self.get(variable)) {
                parameters.set(keyword, value.to_owned());
            }
        }
        parameters
    }
}
