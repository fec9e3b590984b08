#!/bin/sh
# Shows what wordllama does: each command, then its output.
#   demo/run.sh BINARY
# The model is the one that comes with wordllama, or the one that WORDLLAMA_MODEL names.
set -eu

if [ $# -ne 1 ]; then
    echo "usage: demo/run.sh BINARY" >&2
    exit 2
fi
case $1 in
*/*) binary=$(cd "$(dirname "$1")" && pwd)/$(basename "$1") ;;
*) binary=$(command -v "$1") || { echo "demo/run.sh: no command '$1'" >&2; exit 1; } ;;
esac
# A model named by a relative path stays the one that was meant.
case ${WORDLLAMA_MODEL-} in
/* | '') ;;
*) [ ! -e "$WORDLLAMA_MODEL" ] || WORDLLAMA_MODEL=$PWD/$WORDLLAMA_MODEL ;;
esac
cd "$(dirname "$0")/.."

if [ -t 1 ] && [ -z "${NO_COLOR-}" ]; then
    strong=$(printf '\033[1m') dim=$(printf '\033[2m') plain=$(printf '\033[0m')
else
    strong='' dim='' plain=''
fi

wordllama() {
    "$binary" "$@"
}

title() {
    printf '\n%s%s%s\n' "$strong" "$1" "$plain"
    [ $# -lt 2 ] || printf '%s\n' "$2"
    printf '\n'
}

# Prints a command as one would type it, and runs it.
show() {
    printf '%s$ %s%s\n' "$dim" "$1" "$plain"
    eval "$1"
}

title 'WordLlama in C' "Below, wordllama is $1. Each line that starts with \$ can be typed as it stands."
show 'wordllama --version'

title '1. Compare two texts' 'The cosine of their vectors: 1 is the same direction, 0 is unrelated.'
show 'wordllama similarity "I went to the car" "I went to the sedan"'
show 'wordllama similarity "I went to the car" "I went to the park"'
show 'wordllama similarity "The doctor treats her patients" "A physician looks after the sick"'
show 'wordllama similarity "The doctor treats her patients" "The share price fell on Monday"'

title '2. Rank texts by a query' \
    "demo/texts.txt has $(wc -l <demo/texts.txt | tr -d ' ') sentences, from the Bible to Sherlock Holmes (demo/SOURCES.md)."
show 'wordllama rank --top 5 --input demo/texts.txt "life at sea" | cut -c 1-78'
echo
show 'wordllama rank --top 5 --input demo/texts.txt "how to cook dinner" | cut -c 1-78'
echo
show 'wordllama rank --top 5 --input demo/texts.txt "freedom of speech and the law" | cut -c 1-78'

title '3. Embed a text' 'Its vector, cut to the first 8 of its dimensions and scaled to length 1.'
show 'wordllama embed --dim 8 --norm "I went to the car"'

title '4. Embed it in bits' 'One bit a dimension: 256 dimensions are 32 bytes, compared by counting bits that differ.'
show 'wordllama embed --binary "I went to the car"'
show 'wordllama similarity --binary "I went to the car" "I went to the sedan"'

title '5. See the tokens' 'A text is cut into these; its vector is the mean of their rows in the table.'
show 'wordllama tokenize --ids --pieces "I went to the car"'

title 'Next' "wordllama help lists all verbs, wordllama help rank explains one; README.md shows how to use the library."
