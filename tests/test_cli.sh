#!/bin/sh
# The command line from outside: every verb, every bad input, exit status, one line on standard error, no file left
# behind. Usage: tests/test_cli.sh BINARY MODEL_FOLDER. WL_TEST_LINE: bytes of the longest line (100 MB).
set -eu

[ $# -eq 2 ] || { echo "usage: $0 BINARY MODEL_FOLDER" >&2; exit 2; }
wl=$(cd "$(dirname "$1")" && pwd)/$(basename "$1")
model=$(cd "$2" && pwd)
work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT
cd "$work"
mkdir bin run
ln -s "$wl" bin/wordllama
PATH=$work/bin:$PATH
WORDLLAMA_MODEL=$model
export PATH WORDLLAMA_MODEL
unset WORDLLAMA_THREADS WORDLLAMA_POLICY
cd run

passed=0 failed=0 skipped=0

ok() { # NAME COMMAND...: the command must succeed
    name=$1
    shift
    if "$@"; then
        passed=$((passed + 1))
    else
        failed=$((failed + 1))
        echo "failed: $name (status ${status:-?}, stderr: $(head -c 300 ../err 2>/dev/null))"
    fi
}

skip() { skipped=$((skipped + 1)) && echo "skipped: $1"; }

run() { # COMMAND...: standard input from ../in; leaves $status, ../out, ../err
    status=0
    "$@" <../in >../out 2>../err || status=$?
}

out_is() { [ "$(cat ../out)" = "$1" ]; }
out_lines() { [ "$(wc -l <../out)" -eq "$1" ]; }
succeeded() { [ "$status" -eq 0 ] && [ ! -s ../err ]; }
# One line on standard error, that begins with the program's name and holds the words.
says() { [ "$(wc -l <../err)" -eq 1 ] && grep -q '^wordllama: ' ../err && grep -qF -- "$1" ../err; }
empty_folder() { [ -z "$(ls -A .)" ]; }

fails() { # NAME STATUS WORDS COMMAND...: and leaves no file in the current folder
    what=$1 wanted=$2 words=$3
    shift 3
    run "$@"
    ok "$what: status" [ "$status" -eq "$wanted" ]
    ok "$what: message" says "$words"
    ok "$what: nothing left" empty_folder
    rm -rf ./* ./.??*
}

works() { # NAME COMMAND...
    name=$1
    shift
    run "$@"
    ok "$name" succeeded
}

: >../in
dim=$(wordllama info | sed -n 's/^dim: *//p')
[ -n "$dim" ] || { echo "failed: no dim in 'wordllama info'"; exit 1; }

# ---- help ------------------------------------------------------------------------------------------------------------

works "version" wordllama --version
ok "version: text" grep -q '^wordllama [0-9]*\.[0-9]*\.[0-9]*$' ../out
works "help" wordllama --help
verbs=$(sed -n '/^verbs:/,/^$/s/^  \([a-z]*\) .*/\1/p' ../out | grep -v '^help$')
ok "help: six verbs" [ "$(echo "$verbs" | wc -l)" -ge 6 ]
works "manual" wordllama --man
ok "manual: title" grep -q '^\.TH WORDLLAMA 1' ../out
for verb in $verbs; do
    works "$verb --help" wordllama "$verb" --help
    cp ../out ../help
    works "help $verb" wordllama help "$verb"
    ok "help $verb: the same" cmp -s ../out ../help
    works "$verb --man" wordllama "$verb" --man
    ok "$verb --man: sections" [ "$(grep -c '^\.SH' ../out)" -ge 7 ]
    sed -n '/^example:/,$p' ../help | sed 1d >../example
    ok "$verb: has an example" [ -s ../example ]
    if [ "$verb" = pull ]; then
        skip "the example of 'pull' needs a network"
        continue
    fi
    works "$verb: the example runs" sh ../example
    ok "$verb: the example prints" [ -s ../out ]
done
rm -rf ./*

# ---- wrong command lines ---------------------------------------------------------------------------------------------

fails "no verb" 2 "no verb" wordllama
fails "unknown verb" 2 "did you mean 'embed'?" wordllama embde
fails "unknown topic" 2 "unknown verb 'nothing'" wordllama help nothing
fails "unknown flag" 2 "unknown flag '--nrom' for 'embed' (did you mean '--norm'?)" wordllama embed --nrom
fails "flag of another verb" 2 "unknown flag '--top'" wordllama embed --top 3
fails "short flag" 2 "unknown flag '-x'" wordllama embed -x
fails "missing value" 2 "needs a value" wordllama embed a --dim
fails "value for a switch" 2 "takes no value" wordllama embed a --norm=1
fails "not a number" 2 "expected a whole number" wordllama embed a --dim 3x
fails "zero" 2 "expected a whole number from 1" wordllama embed a --dim 0
fails "number too large" 2 "expected a whole number" wordllama embed a --dim 99999999999999999999
fails "not a choice" 2 "expected text|jsonl|npy" wordllama embed a --format csv
fails "too few arguments" 2 "takes A B" wordllama similarity a
fails "too many arguments" 2 "takes A B" wordllama similarity a b c
fails "too many dimensions" 2 "--dim" wordllama embed a --dim $((dim + 1)) --output vectors
fails "field without jsonl" 2 "--field" wordllama embed a --field b
fails "arguments and input" 2 "--input" wordllama embed a --input b
fails "bad variable" 2 "variable WORDLLAMA_THREADS" env WORDLLAMA_THREADS=many wordllama embed a

# ---- embed -----------------------------------------------------------------------------------------------------------

printf 'I went to the car\n\nI went to the park\n' >../in
works "embed lines" wordllama embed
ok "embed lines: count" out_lines 3
ok "embed lines: dimensions" [ "$(head -n 1 ../out | wc -w)" -eq "$dim" ]
ok "embed lines: zero vector" [ "$(sed -n 2p ../out | tr -d '0 \n' | wc -c)" -eq 0 ]
cp ../out ../lines
works "embed arguments" wordllama embed "I went to the car" "" "I went to the park"
ok "embed arguments: the same" cmp -s ../out ../lines
works "embed --input -" wordllama embed --input -
ok "embed --input -: the same" cmp -s ../out ../lines
works "flags anywhere" wordllama --format=text embed --threads 1 -- "I went to the car" "" "I went to the park"
ok "flags anywhere: the same" cmp -s ../out ../lines
printf 'I went to the car\r\n\r\nI went to the park' >../in
works "embed CR LF" wordllama embed
ok "embed CR LF: the same" cmp -s ../out ../lines
gzip -c ../in >../in.gz
works "embed gzip" wordllama embed --input ../in.gz
ok "embed gzip: the same" cmp -s ../out ../lines
works "embed two files" wordllama embed --input ../in --input=../in.gz
ok "embed two files: count" out_lines 6
works "threads by variable" env WORDLLAMA_THREADS=2 wordllama embed --input ../in
ok "threads by variable: the same" cmp -s ../out ../lines
works "model by flag" env WORDLLAMA_MODEL=none wordllama embed --model "$model" --input ../in
ok "model by flag: the same" cmp -s ../out ../lines
mkdir -p ../cache/models && ln -s "$model" ../cache/models/mine
works "model by name" env WORDLLAMA_CACHE=../cache wordllama embed --model mine --input ../in
ok "model by name: the same" cmp -s ../out ../lines
works "model in XDG" env -u WORDLLAMA_CACHE XDG_CACHE_HOME="$work" sh -c \
    'mkdir "$0/wordllama" && ln -s "$0/cache/models" "$0/wordllama/" && wordllama embed --model mine --input ../in' \
    "$work"
ok "model in XDG: the same" cmp -s ../out ../lines
printf '{"text": "I went to the car", "n": [1, {"text": 2}]}\n{"text":""}\n{"a":1,"text":"I went to the \\u0070ark"}\n' \
    >../in.jsonl
works "embed JSONL" wordllama embed --jsonl --input ../in.jsonl
ok "embed JSONL: the same" cmp -s ../out ../lines
sed 's/"text"/"body"/' ../in.jsonl >../body.jsonl
works "embed --field" wordllama embed --jsonl --field body --input ../body.jsonl
ok "embed --field: the same" cmp -s ../out ../lines
works "embed to JSONL" wordllama embed --format jsonl --dim 2 "a\"\\
b"
ok "embed to JSONL: text" grep -q '^{"text": "a\\"\\\\\\nb", "embedding": \[[-0-9.e]*, [-0-9.e]*\]}$' ../out
works "embed --binary" wordllama embed --binary "I went to the car"
ok "embed --binary: bytes" [ "$(wc -w <../out)" -eq $(((dim + 7) / 8)) ]
works "embed --tokens" wordllama embed --tokens "I went to the car"
ok "embed --tokens: rows" [ "$(wc -l <../out)" -ge 4 ]
works "embed --norm" wordllama embed --norm "I went to the car"
ok "embed --norm: unit" awk '{ for (i = 1; i <= NF; i++) s += $i * $i } END { exit s < 0.9999 || s > 1.0001 }' ../out

works "npy to a file" wordllama embed --format npy --input ../in --output vectors.npy
ok "npy to a file: size" [ "$(wc -c <vectors.npy)" -eq $((128 + 3 * 4 * dim)) ]
ok "npy to a file: shape" grep -aq "'shape': (3, $dim)" vectors.npy
works "npy to standard output" wordllama embed --format npy --input ../in
ok "npy to standard output: the same" cmp -s ../out vectors.npy
wordllama embed --format npy --input ../in | cat >../piped
ok "npy to a pipe: the same" cmp -s ../piped vectors.npy
: >../appended && wordllama embed --format npy --input ../in >>../appended
ok "npy appended: the same" cmp -s ../appended vectors.npy
works "npy of bits" wordllama embed --format npy --binary --input ../in
ok "npy of bits: size" [ "$(wc -c <../out)" -eq $((128 + 3 * ((dim + 7) / 8))) ]
works "npy of nothing" wordllama embed --format npy --input /dev/null
ok "npy of nothing: shape" grep -aq "'shape': (0, $dim)" ../out
echo old >old && ln -s old link
works "output replaces" wordllama embed --input ../in --output old
ok "output replaces: the same" cmp -s old ../lines
works "output through a link" wordllama embed --input ../in.gz --output link
ok "output through a link: still a link" [ -L link ]
ok "output through a link: the same" cmp -s old ../lines
works "output -" wordllama embed --input ../in --output -
ok "output -: the same" cmp -s ../out ../lines
works "output to a device" wordllama embed a --output /dev/null
ok "output to a device: still a device" [ -c /dev/null ]
rm -rf ./*

# ---- the other verbs -------------------------------------------------------------------------------------------------

works "similarity" wordllama similarity "I went to the car" "I went to the car"
ok "similarity: one" out_is 1.000000
works "similarity of nothing" wordllama similarity "" "I went to the car"
ok "similarity of nothing: zero" out_is 0.000000
works "similarity --binary" wordllama similarity --binary "the car" "the car"
ok "similarity --binary: one" out_is 1.000000
works "similarity --hamming" wordllama similarity --hamming "the car" "the park"
ok "similarity --hamming: between" awk '{ exit !($1 > 0 && $1 < 1) }' ../out

printf 'in the park\nI went to the car\nby boat\nI went to the car\n' >../in
works "rank" wordllama rank "I went to the car"
ok "rank: count" out_lines 4
ok "rank: best" [ "$(head -n 1 ../out)" = "$(printf '1.000000\tI went to the car')" ]
ok "rank: falling" sh -c 'cut -f 1 ../out | sort -c -g -r 2>../err'
cp ../out ../ranked
works "rank arguments" wordllama rank "I went to the car" "in the park" "I went to the car" "by boat" \
    "I went to the car"
ok "rank arguments: the same" cmp -s ../out ../ranked
works "rank --top" wordllama rank --top 2 "I went to the car"
ok "rank --top: two" out_lines 2
works "rank --keep-order" wordllama rank --keep-order "I went to the car"
ok "rank --keep-order: order" sh -c 'cut -f 2 ../out | cmp -s - ../in'
works "rank to JSONL" wordllama rank --format jsonl "I went to the car"
ok "rank to JSONL: ties" [ "$(sed -n 's/.*"index": \([0-9]*\),.*/\1/p' ../out | head -n 2 | tr '\n' ' ')" = "1 3 " ]
works "rank --binary" wordllama rank --binary "I went to the car"
ok "rank --binary: best" [ "$(head -n 1 ../out | cut -f 1)" = 1.000000 ]
: >../in
works "rank nothing" wordllama rank "I went to the car"
ok "rank nothing: nothing" [ ! -s ../out ]

works "tokenize" wordllama tokenize "I went to the car" ""
ok "tokenize: ids" [ "$(grep -c '^\[\([0-9]*\(, [0-9]*\)*\)\]$' ../out)" -eq 2 ]
ok "tokenize: nothing" [ "$(sed -n 2p ../out)" = "[]" ]
works "tokenize --tokenizer" env -u WORDLLAMA_MODEL wordllama tokenize --tokenizer "$model/tokenizer.json" "the car"
cp ../out ../ids
works "tokenize by the model" wordllama tokenize "the car"
ok "tokenize by the model: the same" cmp -s ../out ../ids
works "tokenize --pieces" wordllama tokenize --pieces "the car"
ok "tokenize --pieces: strings" grep -q '^\[".*car"\]$' ../out
works "tokenize --offsets" wordllama tokenize --offsets "é car"
ok "tokenize --offsets: pairs, in characters" grep -q '^\[\[[0-9]*, [0-9]*\].*, 5\]\]$' ../out
works "tokenize all" wordllama tokenize --ids --pieces --offsets --special --truncate --pad "the car"
ok "tokenize all: an object" grep -q '^{"ids": \[.*\], "pieces": \[.*\], "offsets": \[.*\]}$' ../out

works "tokenize --count" wordllama tokenize --count "the car" ""
ok "tokenize --count: numbers" [ "$(sed -n 2p ../out)" = 0 ]
fails "tokenize --count --ids" 2 "--count" wordllama tokenize --count --ids a
fails "tokenize --npy --output" 2 "--npy" wordllama tokenize --npy ids --output other a
printf 'the car\n\nI went to the car\n' >../in
run wordllama tokenize
cp ../out ../ids
for threads in 1 3; do
    works "tokenize --threads $threads" wordllama tokenize --threads $threads
    ok "tokenize --threads $threads: the same" cmp -s ../out ../ids
done
works "tokenize --npy" wordllama tokenize --npy tokens
ok "tokenize --npy: prints nothing" [ ! -s ../out ]
ok "tokenize --npy: ids" [ "$(wc -c <tokens.ids.npy)" -eq $((128 + 4 * $(tr -cd '0-9 \n' <../ids | wc -w))) ]
ok "tokenize --npy: starts" [ "$(wc -c <tokens.starts.npy)" -eq $((128 + 8 * 4)) ]
rm -f tokens.ids.npy tokens.starts.npy
fails "tokenize --npy into nothing" 1 "nothing/ids" wordllama tokenize --npy nothing/ids
gzip -c "$model/tokenizer.json" >../packed.json.gz
works "tokenizer packed with gzip" wordllama tokenize --tokenizer ../packed.json.gz
ok "tokenizer packed with gzip: the same" cmp -s ../out ../ids
head -c 5000 ../packed.json.gz >../cut.json.gz
fails "tokenizer cut in gzip" 1 "cut.json.gz" wordllama tokenize --tokenizer ../cut.json.gz a
fails "input without a name" 2 "'--input' is empty" wordllama tokenize --input ""

cp ../ids ../in
works "detokenize" wordllama detokenize
ok "detokenize: lines" [ "$(sed -n 3p ../out)" = "I went to the car" ]
ok "detokenize: an empty text" [ "$(sed -n 2p ../out)" = "" ]
ids=$(sed -n 3p ../in | tr -d '[],')
# shellcheck disable=SC2086
works "detokenize arguments" wordllama detokenize --json $ids
ok "detokenize arguments: a string" out_is '"I went to the car"'
echo '{"pieces": [], "ids": '"$(sed -n 3p ../in)"'}' >../in
works "detokenize an object" wordllama detokenize
ok "detokenize an object: text" out_is "I went to the car"
printf '[1]\n[1' >../in
fails "detokenize a cut line" 1 "standard input:2:" wordllama detokenize --output text
fails "detokenize words" 1 "arguments" wordllama detokenize car
fails "detokenize a large id" 1 "4294967296" wordllama detokenize 4294967296
: >../in

wordllama embed "I went to the car" "na\303\257ve" >../plain
works "convert" wordllama convert "$model" packed.safetensors
works "convert: embed" wordllama embed --model packed.safetensors "I went to the car" "na\303\257ve"
ok "convert: same vectors" cmp -s ../out ../plain
works "convert: tokenizer" wordllama tokenize --tokenizer packed.safetensors "I went to the car"
ok "convert: same ids" out_is "[306, 3512, 304, 278, 1559]"
works "convert: info" wordllama info --json packed.safetensors
ok "convert: info says so" grep -q '"packed": true' ../out
works "convert again" wordllama convert packed.safetensors again.safetensors
ok "convert again: same bytes" cmp -s packed.safetensors again.safetensors
works "convert onto itself" wordllama convert packed.safetensors packed.safetensors
ok "convert onto itself: same bytes" cmp -s packed.safetensors again.safetensors
works "convert a tokenizer" wordllama convert "$model/tokenizer.json" tokenizer.safetensors
works "convert a tokenizer: ids" wordllama tokenize --tokenizer tokenizer.safetensors "I went to the car"
ok "convert a tokenizer: same ids" out_is "[306, 3512, 304, 278, 1559]"
works "convert with --tokenizer" wordllama convert --tokenizer tokenizer.safetensors "$model" again.safetensors
ok "convert with --tokenizer: same bytes" cmp -s packed.safetensors again.safetensors
rm -f ./*.safetensors
fails "convert without a name" 2 "convert" wordllama convert
fails "convert: no such model" 1 "nowhere" wordllama convert ./nowhere out.safetensors
fails "convert: no such folder" 1 "cannot write" wordllama convert nowhere/out.safetensors
fails "convert: a folder" 1 "is a directory" wordllama convert "$work"

works "info" wordllama info "$model"
ok "info: lines" [ "$(grep -c '^[a-z]*: *[^ ]' ../out)" -ge 10 ]
works "info --json" wordllama info --json
ok "info --json: dim" grep -q "\"dim\": $dim," ../out

# ---- bad inputs ------------------------------------------------------------------------------------------------------

fails "missing input" 1 "nowhere: cannot open: No such file" wordllama embed --input nowhere --output vectors
fails "directory as input" 1 "is a directory" wordllama embed --input .. --output vectors
fails "directory as output" 1 "is a directory" wordllama embed a --output ..
fails "output in no folder" 1 "nowhere/vectors: cannot write" wordllama embed a --output nowhere/vectors
fails "missing model" 1 "wordllama pull l2_supercat_256" wordllama embed a --model nothing --output vectors
fails "missing model path" 1 "nothing" wordllama embed a --model ./nothing --output vectors
fails "missing default model" 1 "wordllama pull l2_supercat_256' fetches it" \
    env -u WORDLLAMA_MODEL WORDLLAMA_CACHE=nowhere wordllama similarity a b
fails "no home" 1 "WORDLLAMA_CACHE" \
    env -u WORDLLAMA_MODEL -u WORDLLAMA_CACHE -u XDG_CACHE_HOME -u HOME wordllama similarity a b
fails "missing tokenizer" 1 "nothing" wordllama embed a --tokenizer nothing --output vectors

cp -r "$model" ../cut && chmod -R u+w ../cut
half=$(($(wc -c <../cut/model.safetensors) / 2))
head -c "$half" "$model/model.safetensors" >../cut/model.safetensors
fails "truncated model" 1 "model.safetensors" wordllama embed a --model ../cut --output vectors
head -c 4 "$model/model.safetensors" >../cut/model.safetensors
fails "model of four bytes" 1 "model.safetensors" wordllama embed a --model ../cut --output vectors
: >../cut/model.safetensors
fails "empty model" 1 "model.safetensors" wordllama embed a --model ../cut --output vectors
half=$(($(wc -c <"$model/tokenizer.json") / 2))
head -c "$half" "$model/tokenizer.json" >../half.json
fails "truncated tokenizer" 1 "half.json" wordllama embed a --tokenizer ../half.json --output vectors
head -c 1000000 /dev/zero | tr '\0' '[' >../bomb.json
fails "nested tokenizer" 1 "bomb.json" wordllama tokenize a --tokenizer ../bomb.json --output vectors
{ printf '{"model": ' && head -c 1000000 /dev/zero | tr '\0' '['; } >../bomb.json
fails "nested model of a tokenizer" 1 "bomb.json" wordllama embed a --tokenizer ../bomb.json --output vectors
cat >../other.json <<'END'
{"version": "1.0", "truncation": null, "padding": null,
 "added_tokens": [{"id": 0, "content": "[UNK]", "single_word": false, "lstrip": false, "rstrip": false,
                   "normalized": false, "special": true}],
 "normalizer": null, "pre_tokenizer": {"type": "BertPreTokenizer"}, "post_processor": null, "decoder": null,
 "model": {"type": "WordPiece", "unk_token": "[UNK]", "continuing_subword_prefix": "##",
           "max_input_chars_per_word": 100, "vocab": {"[UNK]": 0, "car": 1, "park": 2, "c": 3, "##ar": 4}}}
END
works "tokenize with another tokenizer" wordllama tokenize --tokenizer ../other.json "car park boat"
ok "tokenize with another tokenizer: ids" out_is "[1, 2, 0]"
fails "tokenizer for another vocabulary" 1 "other.json" wordllama embed a --tokenizer ../other.json --output vectors

printf '{"text": "a"}\n{"body": "b"}\n' >../in
fails "JSONL without field" 1 "standard input:2: " wordllama embed --jsonl --output vectors
printf '{"text": "a"}\n \n[1]\n' >../in
fails "JSONL after an empty line" 1 "standard input:3: " wordllama embed --jsonl --output vectors
printf '{"text": "a"}\n\n{"text": "b"}\n\n' >../in
works "JSONL empty lines" wordllama tokenize --jsonl
ok "JSONL empty lines: texts" out_lines 2
printf '{"text": "a\377b"}\n' >../in
run wordllama tokenize --jsonl
ok "JSONL invalid UTF-8: status" [ "$status" -eq 0 ]
ok "JSONL invalid UTF-8: counted" says "1 invalid UTF-8"
printf '[1]\n' >../in
fails "JSONL not an object" 1 "standard input:1: " wordllama rank a --jsonl
printf '{"text": 3}\n' >../in
fails "JSONL not a string" 1 "is not a string" wordllama tokenize --jsonl --output ids
printf '{"text": "a"' >../in
fails "JSONL cut" 1 "standard input:1: " wordllama embed --jsonl --output vectors
head -c 100000 /dev/zero | tr '\0' '{' >../in
fails "JSONL nested" 1 "standard input:1: " wordllama embed --jsonl --output vectors
: >../in
head -c 40 ../in.gz >../cut.gz
fails "truncated gzip" 1 "cut.gz" wordllama embed --input ../cut.gz --output vectors
{ head -c 30 ../in.gz && printf 'xxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxx'; } >../bad.gz
fails "damaged gzip" 1 "bad.gz" wordllama embed --input ../bad.gz --output vectors

printf 'caf\351 \377\n\300\200\n' >../in
run wordllama embed --dim 2
ok "invalid UTF-8: status" [ "$status" -eq 0 ]
ok "invalid UTF-8: count" out_lines 2
ok "invalid UTF-8: warning" says "warning: 4 invalid UTF-8 sequences replaced by U+FFFD"
run wordllama embed --dim 2 --format jsonl
ok "invalid UTF-8: repaired in JSONL" grep -q "^{\"text\": \"caf$(printf '\357\277\275 \357\277\275')\"" ../out
run wordllama tokenize
ok "invalid UTF-8 in tokenize" says "4 invalid UTF-8 sequences"
run wordllama similarity "$(printf 'a\377')" b
ok "invalid UTF-8 in similarity" says "1 invalid UTF-8 sequence replaced"
printf 'a\000b\n\000\n' >../in
works "NUL bytes" wordllama embed --format jsonl --dim 2
ok "NUL bytes: two texts" out_lines 2
ok "NUL bytes: kept" grep -q '^{"text": "a\\u0000b"' ../out
yes 'I went to the car ' | tr -d '\n' | head -c "${WL_TEST_LINE:-100000000}" >../in
works "long line" wordllama embed --dim 2
ok "long line: one text" out_lines 1

yes 'I went to the car' | head -n 20000 >../in
for format in text jsonl npy; do
    status=0
    { wordllama embed --format $format <../in 2>../err || echo $? >../status; } | head -c 1 >../out
    status=$(cat ../status)
    ok "closed pipe, $format: status" [ "$status" -eq 1 ]
    ok "closed pipe, $format: message" says "standard output: cannot write: Broken pipe"
done
if [ -c /dev/full ]; then
    full() { wordllama "$@" >/dev/full; }
    fails "full disk: embed" 1 "standard output: cannot write: No space left on device" full embed
    fails "full disk: npy" 1 "standard output: cannot write: No space left on device" full embed --format npy
    fails "full disk: similarity" 1 "standard output: cannot write: No space left" full similarity a b
    fails "full disk: rank" 1 "standard output: cannot write: No space left" full rank a b
    fails "full disk: tokenize" 1 "standard output: cannot write: No space left" full tokenize a
    fails "full disk: info" 1 "standard output: cannot write: No space left" full info
    fails "full disk: help" 1 "standard output: cannot write: No space left" full --help
    fails "full disk: --output" 1 "/dev/full: cannot write: No space left" wordllama embed a --output /dev/full
else
    skip "no /dev/full"
fi
closed() { wordllama "$@" >&-; }
fails "closed standard output" 1 "standard output: cannot write: Bad file descriptor" closed embed a
closed_in() { wordllama "$@" <&-; }
fails "closed standard input" 1 "standard input: cannot" closed_in embed --output vectors

mkfifo ../fifo
wordllama embed --input ../fifo --output vectors 2>/dev/null &
process=$!
exec 3>../fifo
for _ in 1 2 3 4 5 6 7 8 9 10; do
    [ -z "$(ls -A .)" ] || break
    sleep 0.1
done
kill -TERM $process
exec 3>&-
status=0
wait $process || status=$?
ok "killed: status" [ "$status" -eq 143 ]
ok "killed: nothing left" empty_folder

echo "$passed passed, $failed failed, $skipped skipped"
[ "$failed" -eq 0 ]
