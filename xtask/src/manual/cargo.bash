
# `cargo xtask` is completed as the program is; everything else of cargo as before.
_migrator_xtask_of_cargo() {
    if [ "${COMP_WORDS[1]}" = xtask ] && [ "$COMP_CWORD" -gt 1 ]; then
        COMP_WORDS=(migrator-xtask "${COMP_WORDS[@]:2}")
        COMP_CWORD=$((COMP_CWORD - 1))
        _migrator__xtask migrator-xtask "${COMP_WORDS[COMP_CWORD]}" "${COMP_WORDS[COMP_CWORD - 1]}"
    elif [ -n "$_migrator_xtask_cargo" ]; then
        "$_migrator_xtask_cargo" "$@"
    fi
}
_migrator_xtask_found=$(complete -p cargo 2>/dev/null | sed -n 's/.* -F \([^ ]*\) .*/\1/p')
[ "$_migrator_xtask_found" = _migrator_xtask_of_cargo ] || _migrator_xtask_cargo=$_migrator_xtask_found
complete -F _migrator_xtask_of_cargo -o bashdefault -o default cargo
