//! The rules, a file each.
//!
//! A rule is added with its file and a line here.

/// Declares the modules, the list of their names, and the list of their rules.
macro_rules! rules {
    ($($module:ident,)*) => {
        $(
            #[cfg(feature = "search")]
            mod $module;
        )*

        /// The modules of all rules: a rule has the name of its file.
        pub(crate) const MODULES: &[&str] = &[$(stringify!($module)),*];

        /// All rules: those about locks and rows first, then what breaks the old release, then style.
        #[cfg(feature = "search")]
        pub static RULES: &[crate::rule::Rule] = &[$($module::RULE),*];
    };
}

rules! {
    require_concurrent_index_creation,
    require_concurrent_index_deletion,
    require_concurrent_reindex,
    adding_foreign_key_constraint,
    foreign_key_in_create_table,
    constraint_missing_not_valid,
    validate_in_same_transaction,
    adding_exclusion_constraint,
    disallowed_unique_constraint,
    adding_serial_primary_key_field,
    adding_not_nullable_field,
    adding_required_field,
    adding_field_with_default,
    changing_column_type,
    creating_trigger,
    attaching_partition,
    creating_partition_of,
    require_concurrent_partition_detach,
    refreshing_materialized_view,
    rewriting_table,
    truncate_table,
    update_without_where,
    delete_without_where,
    data_while_locked,
    ddl_in_do,
    ban_drop_column,
    ban_drop_table,
    ban_drop_schema,
    renaming_column,
    renaming_table,
    renaming_object,
    ban_set_schema,
    ban_drop_constraint,
    ban_drop_not_null,
    ban_drop_default,
    ban_drop_view,
    ban_drop_function,
    ban_drop_type,
    ban_drop_domain,
    ban_drop_sequence,
    ban_drop_extension,
    ban_drop_trigger,
    ban_disable_trigger,
    ban_drop_policy,
    ban_alter_row_level_security,
    ban_revoke,
    ban_create_domain_with_constraint,
    ban_alter_domain_with_add_constraint,
    identifier_too_long,
    prefer_bigint_over_int,
    prefer_identity,
    prefer_jsonb,
    prefer_timestamp_tz,
    ban_char_field,
}

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
