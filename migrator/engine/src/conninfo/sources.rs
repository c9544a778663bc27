//! Which source says what of a connection, for people to see: no password among it.

use super::environment::Environment;
use super::parameters::{KEYWORDS, Parameters};
use super::{service, text};

/// The parameters that are given, each with its value and where it comes from; `url_source` is the name of where the URL does.
///
/// What cannot be understood is left out: resolving says what is wrong with it.
pub(crate) fn sources(
    url: Option<&str>,
    url_source: &str,
    environment: &Environment,
) -> Vec<(&'static str, String, String)> {
    let of_url = url.and_then(|url| text::parse(url).ok()).map(|(parameters, _)| parameters).unwrap_or_default();
    let of_environment = environment.parameters();
    let given = |key: &str| of_url.get(key).or(of_environment.get(key));
    let of_service = match given("service") {
        Some(name) => service::find(name, given("servicefile"), environment).unwrap_or_default(),
        None => Parameters::default(),
    };
    let mut all = Vec::new();
    for (keyword, variable) in KEYWORDS {
        let named = |name: &str| name.to_owned();
        let found = of_url.get(keyword).map(|value| (value, named(url_source)));
        let found = found.or_else(|| of_service.get(keyword).map(|value| (value, named("the service file"))));
        let found =
            found.or_else(|| Some((of_environment.get(keyword)?, named(variable.unwrap_or("the environment")))));
        all.extend(found.map(|(value, source)| (keyword, shown(keyword, value), source)));
    }
    all
}

/// A value, unless it is a secret or may hold one.
fn shown(keyword: &str, value: &str) -> String {
    if keyword.contains("password") {
        return "set, not shown".to_owned();
    }
    let may_hold_one = value.contains("://") || value.to_lowercase().contains("password");
    if may_hold_one { "...".to_owned() } else { value.to_owned() }
}
