#!/usr/bin/env bash
# Posts a file as the note of the merge request, or updates the one that it has posted before.
#
# Usage: comment-gitlab.sh FILE
#
#   MIGRATOR_GITLAB_TOKEN   a project access token with the scope `api`
#   MIGRATOR_NAME           tells the notes of several workspaces of one repository apart
#   MIGRATOR_PAGE           the address of the page, if there is one
set -euo pipefail

file=$1
if [[ -z ${CI_MERGE_REQUEST_IID:-} ]]; then
    echo "no note: this pipeline is not one of a merge request"
    exit 0
fi
if [[ -z ${MIGRATOR_GITLAB_TOKEN:-} ]]; then
    # Protected variables are not given to a fork.
    echo "no note: MIGRATOR_GITLAB_TOKEN is not set; the token of a job may not write notes"
    exit 0
fi
notes=$CI_API_V4_URL/projects/$CI_PROJECT_ID/merge_requests/$CI_MERGE_REQUEST_IID/notes

scratch=$(mktemp -d)
trap 'rm -rf "$scratch"' EXIT

# call METHOD URL [BODY-FILE]: the answer is in $scratch/answer; prints the status. The token is in no list of processes.
call() {
    # Only a question may be asked twice.
    local data=(--retry 3)
    [[ $# -lt 3 ]] || data=(--data-binary "@$3")
    curl --silent --show-error --max-time 60 --output "$scratch/answer" --write-out '%{http_code}' --request "$1" \
        --header 'Content-Type: application/json' --header @<(printf 'PRIVATE-TOKEN: %s\n' "$MIGRATOR_GITLAB_TOKEN") \
        "${data[@]}" "$2"
}

# fail STATUS WHAT
fail() {
    printf 'error: failed to %s: the host answered %s: %s\n' "$2" "$1" "$(head -c 500 "$scratch/answer")" >&2
    exit 1
}

status=$(call GET "$CI_API_V4_URL/user")
[[ $status == 200 ]] || fail "$status" "read whose token it is"
author=$(jq -r .username "$scratch/answer")

marker="<!-- migrator${MIGRATOR_NAME:+ ${MIGRATOR_NAME//[^A-Za-z0-9_.-]/-}} -->"
{
    cat "$file"
    [[ -z ${MIGRATOR_PAGE:-} ]] || printf '\n[The page with the locks over time](%s)\n' "$MIGRATOR_PAGE"
    printf '\n%s\n' "$marker"
} | jq --raw-input --slurp '{body: .}' >"$scratch/body"

# Others may write the marker too: only our own note is updated.
existing=
for ((page = 1; page <= 50; page++)); do
    status=$(call GET "$notes?per_page=100&page=$page")
    [[ $status == 200 ]] || fail "$status" "read the notes"
    existing=$(jq -r --arg author "$author" --arg marker "$marker" \
        '[.[] | select(.author.username == $author and (.body | rtrimstr("\n") | endswith($marker)))][0].id // empty' "$scratch/answer")
    [[ -z $existing && $(jq length "$scratch/answer") -eq 100 ]] || break
done

if [[ -n $existing ]]; then
    status=$(call PUT "$notes/$existing" "$scratch/body")
    [[ $status == 200 ]] || fail "$status" "update the note"
else
    status=$(call POST "$notes" "$scratch/body")
    [[ $status == 201 ]] || fail "$status" "post the note"
fi
