#!/usr/bin/env bash
# Reviews the migrations of a branch in a pipeline: checks the files, judges the release that runs, proves the migrations.
#
# Writes report.html, comment.md and code-quality.json to $MIGRATOR_OUT. Exit code: the highest one of the tasks.
#
#   MIGRATOR_BASE    the branch to compare with [default: the target of the pull request, else origin/main]
#   MIGRATOR_OUT     where the files go [default: migrator-review]
#   MIGRATOR_XTASK   how the tasks are called [default: cargo xtask]
set -euo pipefail

target=${GITHUB_BASE_REF:-${CI_MERGE_REQUEST_TARGET_BRANCH_NAME:-main}}
base=${MIGRATOR_BASE:-origin/$target}
out=${MIGRATOR_OUT:-migrator-review}
read -ra xtask <<<"${MIGRATOR_XTASK:-cargo xtask}"
mkdir -p "$out"
rm -f "$out/report.html" "$out/comment.md" "$out/code-quality.json"

status=0
# Runs a task, and goes on after one that has found something.
task() {
    local code=0
    "${xtask[@]}" "$@" || code=$?
    ((code <= status)) || status=$code
}

# GitLab reads findings from a file, GitHub from what is printed.
code_quality() {
    jq '[(if type == "array" then . else (.findings // []) end)[] | {
        description: .message,
        check_name: (.rule // .code // .check),
        fingerprint: ([.check, .rule, .code, .file, .line, .message] | tostring),
        severity: (if .severity == "error" then "major" else "minor" end),
        location: {path: (.file // "Cargo.toml"), lines: {begin: (.line // 1)}}
    }]'
}

if [[ -n ${GITLAB_CI:-} ]]; then
    findings=$(task check --compat --base "$base" --json && exit "$status") || status=$?
    code_quality <<<"${findings:-[]}" >"$out/code-quality.json" || echo '[]' >"$out/code-quality.json"
    # Once more for people who read the log.
    task check --base "$base"
else
    task check --compat --base "$base" --format github
fi
task verify --base "$base" --html "$out/report.html" --markdown "$out/comment.md"

# What the branch did before must not stay there as the answer.
if [[ ! -s $out/comment.md ]]; then
    printf 'The migrations could not be verified: see the log of the pipeline.\n' >"$out/comment.md"
fi
exit "$status"
