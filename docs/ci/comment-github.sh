#!/usr/bin/env bash
# Posts a file as the comment of the pull request, or updates the one that it has posted before.
#
# Usage: comment-github.sh FILE
#
#   GITHUB_TOKEN     may write to pull requests
#   MIGRATOR_NAME    tells the comments of several workspaces of one repository apart
#   MIGRATOR_PAGE    the address of the page, if there is one
set -euo pipefail

file=$1
number=$(jq -r '.pull_request.number // empty' "$GITHUB_EVENT_PATH")
if [[ -z $number ]]; then
    echo "no comment: this event is not about a pull request"
    exit 0
fi
comments=${GITHUB_API_URL:-https://api.github.com}/repos/$GITHUB_REPOSITORY/issues/$number/comments

scratch=$(mktemp -d)
trap 'rm -rf "$scratch"' EXIT

# call METHOD URL [BODY-FILE]: the answer is in $scratch/answer; prints the status. The token is in no list of processes.
call() {
    # Only a question may be asked twice.
    local data=(--retry 3)
    [[ $# -lt 3 ]] || data=(--data-binary "@$3")
    curl --silent --show-error --max-time 60 --output "$scratch/answer" --write-out '%{http_code}' --request "$1" \
        --header 'Accept: application/vnd.github+json' --header @<(printf 'Authorization: Bearer %s\n' "$GITHUB_TOKEN") \
        "${data[@]}" "$2"
}

# fail STATUS WHAT
fail() {
    if [[ $1 == 403 || $1 == 404 ]]; then
        # So it is for a pull request from a fork.
        echo "::warning::no comment: the token may not $2; give the job \`permissions: pull-requests: write\`"
        exit 0
    fi
    printf 'error: failed to %s: the host answered %s: %s\n' "$2" "$1" "$(head -c 500 "$scratch/answer")" >&2
    exit 1
}

# A token of a job is no user's: its comments are those of the actions.
author='github-actions[bot]'
status=$(call GET "${GITHUB_API_URL:-https://api.github.com}/user")
[[ $status != 200 ]] || author=$(jq -r .login "$scratch/answer")

marker="<!-- migrator${MIGRATOR_NAME:+ ${MIGRATOR_NAME//[^A-Za-z0-9_.-]/-}} -->"
{
    cat "$file"
    [[ -z ${MIGRATOR_PAGE:-} ]] || printf '\n[The page with the locks over time](%s)\n' "$MIGRATOR_PAGE"
    printf '\n%s\n' "$marker"
} | jq --raw-input --slurp '{body: .}' >"$scratch/body"

# Others may write the marker too: only our own comment is updated.
existing=
for ((page = 1; page <= 50; page++)); do
    status=$(call GET "$comments?per_page=100&page=$page")
    [[ $status == 200 ]] || fail "$status" "read the comments"
    existing=$(jq -r --arg author "$author" --arg marker "$marker" \
        '[.[] | select(.user.login == $author and (.body | rtrimstr("\n") | endswith($marker)))][0].id // empty' "$scratch/answer")
    [[ -z $existing && $(jq length "$scratch/answer") -eq 100 ]] || break
done

if [[ -n $existing ]]; then
    status=$(call PATCH "${comments%/"$number"/comments}/comments/$existing" "$scratch/body")
    [[ $status == 200 ]] || fail "$status" "update the comment"
else
    status=$(call POST "$comments" "$scratch/body")
    [[ $status == 201 ]] || fail "$status" "post the comment"
fi
