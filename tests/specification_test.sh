#!/usr/bin/env bash
# Checks that every section of docs/specification.md which a comment cites as
# "spec 2.4" exists, and that the page's table of contents names each section
# where it stands.
set -u
cd "$(dirname "$0")/.." || exit 1
page=docs/specification.md
failures=0

fail() {
  echo "$1"
  failures=$((failures + 1))
}

# headings FILE...: the lines "2.4 Relative positions" of the numbered headings.
headings() {
  sed -nE 's/^#{2,3} ([0-9]+(\.[0-9]+|\.) .*)$/\1/p' "$@"
}

# numbers: of headings.
numbers() {
  sed -E 's/^([0-9]+(\.[0-9]+)?).*/\1/'
}

# citations FILE: the sections that its comments cite, also across lines.
citations() {
  sed -E 's@^[[:space:]]*(//|#)?[[:space:]]*@@' "$1" | tr '\n' ' ' |
    grep -oE '\b[Ss]pec (section )?[0-9]+(\.[0-9]+)?((,| and) [0-9]+\.[0-9]+)*' |
    grep -oE '[0-9]+(\.[0-9]+)?'
}

sections=$(headings "$page" docs/specification/*.md | numbers)

twice=$(sort <<<"$sections" | uniq -d)
[ -z "$twice" ] || fail "sections that stand in two places: $twice"

# "- [2.4 Relative positions](specification/model.md#24-relative-positions)"
contents=$(sed -nE 's/^ *- \[([0-9][^]]*)\]\(([^#]*)#(.*)\)$/\1|\2|\3/p' "$page")
while IFS='|' read -r title file anchor; do
  headings "docs/${file:-specification.md}" | grep -qxF "$title" ||
    fail "$page: contents: docs/${file:-specification.md} has no section \"$title\""
  slug=$(tr 'A-Z ' 'a-z-' <<<"$title" | tr -cd 'a-z0-9\n-')
  [ "$anchor" = "$slug" ] ||
    fail "$page: contents: \"$title\" is linked as #$anchor, expected #$slug"
done <<<"$contents"
missing=$(comm -23 <(sort <<<"$sections") \
            <(cut -d'|' -f1 <<<"$contents" | numbers | sort))
[ -z "$missing" ] || fail "$page: contents: without $missing"

cited=0
while read -r file; do
  for section in $(citations "$file"); do
    cited=$((cited + 1))
    grep -qxF "$section" <<<"$sections" ||
      fail "$file: cites spec $section, which $page does not have"
  done
done < <(grep -rlE '\b[Ss]pec\b' --include='*.h' --include='*.cc' \
           --include='*.py' --include='*.sh' --include='*.proto' \
           json model proto server tests tokenizer tools demo |
           grep -v '^tests/specification_test\.sh$')
[ "$cited" -gt 0 ] || fail "found no citation at all"

if [ "$failures" -gt 0 ]; then exit 1; fi
echo "$cited citations of $(wc -l <<<"$sections") sections"
