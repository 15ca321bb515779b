#!/usr/bin/env bash
# Brings the corpus of the last night, which is an artifact of its run. Fails where there is one that cannot be had: a
# night that began with an empty corpus would be told as news altogether, and kept in the place of what was known.
# Needs GH_TOKEN, GITHUB_REPOSITORY, and the name of the artifact.
set -euo pipefail
name=$1 into=$2
newest=$(gh api "repos/$GITHUB_REPOSITORY/actions/artifacts?name=$name&per_page=100" --jq \
  '[.artifacts[] | select(.expired | not)] | sort_by(.created_at) | last | .id // empty')
if [ -z "$newest" ]; then
  echo "no earlier corpus; this is the first night, or it was longer ago than artifacts are kept"
  exit 0
fi
archive=$(mktemp)
gh api "repos/$GITHUB_REPOSITORY/actions/artifacts/$newest/zip" > "$archive"
python3 -m zipfile -e "$archive" "$into"
test -d "$into/findings" || { echo "the corpus $newest holds no findings; see why before the next night" >&2; exit 1; }
echo "$(find "$into/findings" -name '*.known.json' | wc -l) findings are known"
