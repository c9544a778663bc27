//! The rules, a file each: build.rs lists the folder, so a rule is added with its file alone.

/// Declares the modules, the list of their names, and the list of their rules.
macro_rules! rules {
    ($($path:literal $module:ident,)*) => {
        $(
            #[cfg(feature = "search")]
            #[path = $path]
            mod $module;
        )*

        /// The modules of all rules, by name: a rule has the name of its file.
        pub(crate) const MODULES: &[&str] = &[$(stringify!($module)),*];

        /// All rules, by name.
        #[cfg(feature = "search")]
        pub static RULES: &[crate::rule::Rule] = &[$($module::RULE),*];
    };
}

include!(concat!(env!("OUT_DIR"), "/rules.rs"));

#[cfg(test)]
mod tests {
    #[cfg(feature = "search")]
    #[test]
    fn a_rule_is_called_as_its_file_is() {
        for (module, rule) in super::MODULES.iter().zip(super::RULES) {
            assert_eq!(rule.name, module.replace('_', "-"));
        }
    }
}
