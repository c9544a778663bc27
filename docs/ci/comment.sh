#!/usr/bin/env bash
# Posts a file as the comment of the pull or merge request, or updates the one that it has posted before.
#
# Usage: comment.sh FILE
#
#   MIGRATOR_NAME            tells the comments of several workspaces of one repository apart
#   MIGRATOR_PAGE            the address of the page, if there is one
#   GITHUB_TOKEN             on GitHub: may write to pull requests
#   MIGRATOR_GITLAB_TOKEN    on GitLab: a project access token with the scope `api`
set -euo pipefail

file=$1
scratch=$(mktemp -d)
trap 'rm -rf "$scratch"' EXIT

# call METHOD URL [BODY-FILE]: the answer is in $scratch/answer; prints the status. The token is in no list of processes.
call() {
    # Only a question may be asked twice.
    local data=(--retry 3)
    [[ $# -lt 3 ]] || data=(--data-binary "@$3")
    curl --silent --show-error --max-time 60 --output "$scratch/answer" --write-out '%{http_code}' --request "$1" \
        --header 'Content-Type: application/json' --header 'Accept: application/json' --header @<(printf '%s\n' "$authorization") \
        "${data[@]}" "$2"
}

# fail STATUS WHAT
fail() {
    if [[ $update == PATCH && ($1 == 403 || $1 == 404) ]]; then
        # So it is for a pull request from a fork.
        echo "::warning::no comment: the token may not $2; give the job \`permissions: pull-requests: write\`"
        exit 0
    fi
    printf 'error: failed to %s: the host answered %s: %s\n' "$2" "$1" "$(head -c 500 "$scratch/answer")" >&2
    exit 1
}

# Both set $authorization, a header; $comments, where they are; $edited, below which each of them is; $update, the method that changes one;
# $author, whose are ours.
on_github() {
    local number status api=${GITHUB_API_URL:-https://api.github.com}
    number=$(jq -r '.pull_request.number // empty' "$GITHUB_EVENT_PATH")
    if [[ -z $number ]]; then
        echo "no comment: this event is not about a pull request"
        exit 0
    fi
    authorization="Authorization: Bearer $GITHUB_TOKEN"
    comments=$api/repos/$GITHUB_REPOSITORY/issues/$number/comments
    edited=$api/repos/$GITHUB_REPOSITORY/issues/comments
    update=PATCH
    # A token of a job is no user's: its comments are those of the actions.
    author='github-actions[bot]'
    status=$(call GET "$api/user")
    [[ $status != 200 ]] || author=$(jq -r .login "$scratch/answer")
}

on_gitlab() {
    local status
    if [[ -z ${CI_MERGE_REQUEST_IID:-} ]]; then
        echo "no comment: this pipeline is not one of a merge request"
        exit 0
    fi
    if [[ -z ${MIGRATOR_GITLAB_TOKEN:-} ]]; then
        # Protected variables are not given to a fork.
        echo "no comment: MIGRATOR_GITLAB_TOKEN is not set; the token of a job may not write notes"
        exit 0
    fi
    authorization="PRIVATE-TOKEN: $MIGRATOR_GITLAB_TOKEN"
    comments=$CI_API_V4_URL/projects/$CI_PROJECT_ID/merge_requests/$CI_MERGE_REQUEST_IID/notes
    edited=$comments update=PUT
    status=$(call GET "$CI_API_V4_URL/user")
    [[ $status == 200 ]] || fail "$status" "read whose token it is"
    author=$(jq -r .username "$scratch/answer")
}

if [[ -n ${GITHUB_EVENT_PATH:-} ]]; then
    on_github
else
    on_gitlab
fi

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
        '[.[] | select((.user.login // .author.username) == $author and (.body | rtrimstr("\n") | endswith($marker)))][0].id // empty' \
        "$scratch/answer")
    [[ -z $existing && $(jq length "$scratch/answer") -eq 100 ]] || break
done

if [[ -n $existing ]]; then
    status=$(call "$update" "$edited/$existing" "$scratch/body")
    [[ $status == 200 ]] || fail "$status" "update the comment"
else
    status=$(call POST "$comments" "$scratch/body")
    [[ $status == 201 ]] || fail "$status" "post the comment"
fi
