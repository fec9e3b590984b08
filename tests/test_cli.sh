#!/bin/sh
# The command line from outside: every verb, every bad input, exit status, one line on standard error, no file left
# behind. Usage: tests/test_cli.sh BINARY MODEL_FOLDER. WL_TEST_LINE: bytes of the longest line (100 MB).
set -eu

[ $# -eq 2 ] || { echo "usage: $0 BINARY MODEL_FOLDER" >&2; exit 2; }
wl=$(cd "$(dirname "$1")" && pwd)/$(basename "$1")
model=$(cd "$2" && pwd)
tests=$(cd "$(dirname "$0")" && pwd)
work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT
cd "$work"
mkdir bin run
ln -s "$wl" bin/wordllama
PATH=$work/bin:$PATH
WORDLLAMA_MODEL=$model
export PATH WORDLLAMA_MODEL
unset WORDLLAMA_THREADS WORDLLAMA_POLICY HF_TOKEN HF_HUB_OFFLINE http_proxy all_proxy ALL_PROXY
# Nobody's cache is touched, and no hub but the one on this machine is asked.
HF_HOME=$work/huggingface HF_HUB_CACHE=$work/huggingface/hub HF_ENDPOINT=http://127.0.0.1:1
export HF_HOME HF_HUB_CACHE HF_ENDPOINT
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
    if [ "$verb" = pull ] || [ "$verb" = extract ]; then
        skip "the example of '$verb' needs a network"
        continue
    fi
    # By name: the cache that holds the model.
    works "$verb: the example runs" env WORDLLAMA_CACHE="${model%/models/*}" sh ../example
    ok "$verb: the example prints" [ -s ../out ]
done
rm -rf ./*

# ---- wrong command lines ---------------------------------------------------------------------------------------------

fails "no verb" 2 "no verb" wordllama
fails "unknown verb" 2 "did you mean 'embed'?" wordllama embde
fails "unknown topic" 2 "unknown verb 'nothing'" wordllama help nothing
fails "unknown flag" 2 "unknown flag '--nrom' for 'embed' (did you mean '--norm'?)" wordllama embed --nrom
fails "flag of another verb" 2 "unknown flag '--top'" wordllama embed --top 3
fails "short flag" 2 "unknown flag '-x' for 'embed' (see 'wordllama embed --help'" wordllama embed -x
fails "short flag alone" 2 "(see 'wordllama --help'" wordllama -x
fails "flag of another verb: a hint" 2 "see 'wordllama embed --help'" wordllama embed --clusters 3
fails "no name of a file" 2 "flag '--output' is empty, expected FILE" wordllama embed a --output ""
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
echo by car >../named
run wordllama tokenize --count ../named ../named
ok "a file as a text: a warning" says "'../named' is taken as a text; --input ../named reads the file"
ok "a file as a text: status" [ "$status" -eq 0 ]
fails "a file behind --input's" 2 "'../named' stands there as a text; --input is to be repeated" \
    wordllama rank a --input ../named ../named
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
for name in /dev/stdout /dev/fd/1; do
    { wordllama embed --input ../in --output $name && wordllama embed --input ../in --output $name; } >../twice
    ok "output to $name: behind each other" sh -c 'cat ../lines ../lines | cmp -s - ../twice'
done
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
works "rank --json" wordllama rank --json "I went to the car"
ok "rank --json: ties" [ "$(sed -n 's/.*"index": \([0-9]*\),.*/\1/p' ../out | head -n 2 | tr '\n' ' ')" = "1 3 " ]
works "rank --threshold" wordllama rank --threshold 0.9 "I went to the car"
ok "rank --threshold: two" out_lines 2
works "rank on one line" wordllama rank a "$(printf 'b\tc\r\nd')"
ok "rank on one line: spaces" [ "$(cut -f 2 ../out)" = "b c  d" ]
works "rank on one line, JSON" wordllama rank --json a "$(printf 'b\tc')"
ok "rank on one line, JSON: as it is" grep -qF '"text": "b\tc"' ../out
works "rank --binary" wordllama rank --binary "I went to the car"
ok "rank --binary: best" [ "$(head -n 1 ../out | cut -f 1)" = 1.000000 ]
: >../in
works "rank nothing" wordllama rank "I went to the car"
ok "rank nothing: nothing" [ ! -s ../out ]

# ---- topk and filter: exit status as grep's --------------------------------------------------------------------------

finds_nothing() { [ "$status" -eq 1 ] && [ ! -s ../out ] && [ ! -s ../err ]; }

printf 'in the park\nI went to the car\nby boat\nI went to the car\nby car\n' >../in
works "topk" wordllama topk "I went to the car"
ok "topk: three" out_lines 3
cp ../out ../three
works "topk: as rank" wordllama rank --top 3 "I went to the car"
ok "topk: the same" cmp -s ../out ../three
works "topk --top" wordllama topk --top 1 "I went to the car"
ok "topk --top: the best" out_is "$(printf '1.000000\tI went to the car')"
works "topk of more than there are" wordllama topk --top 4000000000 "I went to the car"
ok "topk of more than there are: all" out_lines 5
works "topk --json" wordllama topk --json --top 2 "I went to the car"
ok "topk --json: ties" out_is '{"score": 1.000000, "index": 1, "text": "I went to the car"}
{"score": 1.000000, "index": 3, "text": "I went to the car"}'
awk 'BEGIN { for (i = 0; i < 30000; i++) print i % 1000 == 7 ? "a boat on the sea" : "text " i }' >../many
works "topk of many" wordllama topk --json --top 5 --input ../many "a boat on the sea"
ok "topk of many: ties" [ "$(sed -n 's/.*"index": \([0-9]*\),.*/\1/p' ../out | tr '\n' ' ')" = "7 1007 2007 3007 4007 " ]
works "topk one candidate" wordllama topk "I went to the car" "by boat"
ok "topk one candidate: one" out_lines 1
works "topk --threshold" wordllama topk --threshold 0.95 "I went to the car"
ok "topk --threshold: two" out_lines 2
run wordllama topk --threshold 1 "I went to the car"
ok "topk --threshold 1: nothing" finds_nothing
fails "topk of none" 2 "expected a whole number from 1" wordllama topk --top 0 a b

works "filter" wordllama filter "I went to the car"
ok "filter: lines" out_is 'I went to the car
I went to the car
by car'
works "filter --threshold" wordllama filter --threshold 0.95 "I went to the car"
ok "filter --threshold: lines" out_lines 2
works "filter --json" wordllama filter --json --threshold .95 "I went to the car"
ok "filter --json: objects" [ "$(sed -n 2p ../out)" = '{"score": 1.000000, "index": 3, "text": "I went to the car"}' ]
run wordllama filter --threshold 1 --binary "I went to the car"
ok "filter --threshold: strict" finds_nothing
works "filter a threshold below 0" wordllama filter --threshold -1 "I went to the car"
ok "filter a threshold below 0: all" out_lines 5
for flags in --binary --hamming "--dim 16" "--threads 1"; do
    # shellcheck disable=SC2086
    works "filter $flags" wordllama filter $flags --threshold 0.9 "I went to the car"
    ok "filter $flags: lines" grep -qx 'I went to the car' ../out
done
works "filter --invert" wordllama filter --invert "I went to the car"
ok "filter --invert: the others" out_is 'in the park
by boat'
works "filter --count" wordllama filter --count "I went to the car"
ok "filter --count: a number" out_is 3
works "filter --invert --count" wordllama filter --invert --count "I went to the car"
ok "filter --invert --count: a number" out_is 2
run wordllama filter --count --threshold 1 "I went to the car"
ok "filter --count: nothing found" [ "$status" -eq 1 ]
ok "filter --count: zero" out_is 0
fails "filter --count --json" 2 "contradict" wordllama filter --count --json a b
wordllama filter --hamming --threshold 0.65 --input ../many "a boat" >../explicit
works "filter --hamming: the default" wordllama filter --hamming --input ../many "a boat"
ok "filter --hamming: 0.65" cmp -s ../out ../explicit
ok "filter --hamming: not all" [ "$(wc -l <../out)" -lt 30000 ]
works "filter arguments" wordllama filter "I went to the car" "by car" "by boat"
ok "filter arguments: one" out_is "by car"
(echo 'by car' && sleep 0.5 && [ -s ../live ] && echo 'by car, I went') | wordllama filter "I went to the car" >../live
ok "filter: prints as it reads" [ "$(wc -l <../live)" -eq 2 ]
works "filter --output" wordllama filter --output kept "I went to the car"
ok "filter --output: lines" [ "$(wc -l <kept)" -eq 3 ]
rm kept
for verb in topk filter; do
    : >../in
    run wordllama $verb a
    ok "$verb nothing" finds_nothing
    fails "$verb: a failure" 2 "nowhere" wordllama $verb a --input nowhere
    fails "$verb: no model" 2 "nowhere" wordllama $verb a --model ./nowhere
    fails "$verb without a query" 2 "takes QUERY" wordllama $verb
    fails "$verb: a wrong flag" 2 "unknown flag '--nothing'" wordllama $verb a --nothing
    ok "$verb --help: exit status" sh -c "wordllama $verb --help | grep -q '1 where nothing was found'"
    ok "$verb --man: exit status" sh -c "wordllama $verb --man | grep -q 'nothing was found'"
done
printf 'by boat\n' >../in
run wordllama filter "I went to the car"
ok "filter: nothing found" finds_nothing
for number in nan NaN inf -inf 1e999 0x1 1,5 2 -1.5 '' . 1e e1 ' 1' '1 ' --; do
    fails "threshold '$number'" 2 "expected a number from -1 to 1" wordllama filter a b --threshold "$number"
done
for number in 0 1 -1 +.5 5e-1 0.25 1. -0; do
    run wordllama filter a b "--threshold=$number"
    ok "threshold '$number'" [ "$status" -le 1 ]
done
run env LC_ALL=de_DE.UTF-8 LC_NUMERIC=de_DE.UTF-8 wordllama filter --threshold 0.99 a a
ok "threshold in another locale" out_is a

# ---- records: JSON lines and CSV -------------------------------------------------------------------------------------

printf '{"id": 1, "text": "by car"}\n\n{"id": 2,"text":"by\\u0020boat"}\r\n{ "text": "I went to the car" }' >../in
works "filter JSONL" wordllama filter --jsonl "I went to the car"
ok "filter JSONL: whole lines" out_is '{"id": 1, "text": "by car"}
{ "text": "I went to the car" }'
works "filter JSONL with --json" wordllama filter --jsonl --json --threshold 0.9 "I went to the car"
ok "filter JSONL with --json: an object" out_is \
    '{"score": 1.000000, "index": 2, "text": "I went to the car", "record": { "text": "I went to the car" }}'
works "topk JSONL" wordllama topk --jsonl --top 1 "I went by boat"
ok "topk JSONL: the text" [ "$(cut -f 2 ../out)" = "by boat" ]

printf 'text,b\nx,2\n' >../named.csv
printf '\357\273\277id,"text",note\r\n1,by car,\r\n\r\n2,"a boat, and ""two\r\nlines""",x\r\n3,"I went to the car",' \
    >../table.csv
works "CSV" wordllama tokenize --count --csv --input ../table.csv
ok "CSV: three texts" out_lines 3
works "CSV: quotes" wordllama embed --dim 1 --format jsonl --csv --input ../table.csv
ok "CSV: quotes, commas, breaks" grep -q '^{"text": "a boat, and \\"two\\r\\nlines\\"", "embedding"' ../out
works "filter CSV" wordllama filter --csv --input ../table.csv "I went to the car"
printf 'id,"text",note\r\n1,by car,\r\n3,"I went to the car",\n' >../wanted
ok "filter CSV: the header and whole records" cmp -s ../out ../wanted
works "filter a filtered CSV" wordllama filter --csv --input ../wanted --input ../wanted "I went to the car"
ok "filter two files of CSV: one header" [ "$(grep -c '^id,' ../out)" -eq 1 ]
ok "filter two files of CSV: records" out_lines 5
run wordllama filter --csv --input ../table.csv --threshold 1 "I went to the car"
ok "filter CSV, nothing found: status" [ "$status" -eq 1 ]
ok "filter CSV, nothing found: the header" out_lines 1
works "filter CSV with --json" wordllama filter --csv --json --input ../table.csv --threshold 0.9 "I went to the car"
ok "filter CSV with --json: an object" out_is '{"score": 1.000000, "index": 2, "text": "I went to the car", '\
'"record": {"id": "3", "text": "I went to the car", "note": ""}}'
works "filter CSV --count" wordllama filter --csv --count --input ../table.csv "I went to the car"
ok "filter CSV --count: a number alone" out_is 2
for verb in "rank a" "topk a" "filter --threshold -1 a" dedup "cluster --clusters 2"; do
    # shellcheck disable=SC2086
    works "$verb: records as objects" wordllama $verb --csv --json --input ../table.csv
    ok "$verb: records as objects, columns" [ "$(grep -c '"record": {"id": "[123]", "text": ".*", "note": "x*"}}$' ../out)" -eq 3 ]
    # shellcheck disable=SC2086
    works "$verb: records of JSON" wordllama $verb --jsonl --json
    ok "$verb: records of JSON, whole" grep -qF '"record": {"id": 2,"text":"by\u0020boat"}}' ../out
done
works "records without names" wordllama rank --csv --json --no-header --field 2 --input ../table.csv text
ok "records without names: numbers" grep -qF '"record": {"1": "id", "2": "text", "3": "note"}}' ../out
works "records in two files" wordllama rank --csv --json --input ../table.csv --input ../named.csv --top 1 x
ok "records in two files: each with its names" grep -qF '"record": {"text": "x", "b": "2"}}' ../out
gzip -c ../table.csv >../table.csv.gz
works "CSV packed with gzip" wordllama topk --csv --top 1 --input ../table.csv.gz "a boat"
ok "CSV packed with gzip: a text of two lines on one" out_lines 1
works "CSV --field" wordllama tokenize --count --csv --field note --input ../table.csv
ok "CSV --field: texts" out_is '0
1
0'
printf 'by car;x\n"by boat",y\n' >../in
fails "CSV with other columns" 2 "standard input:2: the record has 2 columns, and those before it have 1" \
    wordllama filter --csv --no-header a
printf 'by car,x\n"by boat",y\n' >../in
works "CSV --no-header" wordllama filter --csv --no-header "I went to the car"
ok "CSV --no-header: the record" out_is 'by car,x'
works "CSV --no-header --field" wordllama rank --csv --no-header --field 2 x
ok "CSV --no-header --field: the second column" [ "$(head -n 1 ../out)" = "$(printf '1.000000\tx')" ]
fails "CSV --no-header: no number" 2 "the number of a column" wordllama rank a --csv --no-header --field text
fails "CSV --no-header: zero" 2 "the number of a column" wordllama rank a --csv --no-header --field 0
fails "CSV --no-header: too few columns" 1 "standard input:1: the record has 2 columns, and the text is column 3" \
    wordllama rank a --csv --no-header --field 3
fails "CSV without the column" 1 "../table.csv:1: the header has no column 'body'" \
    wordllama rank a --csv --field body --input ../table.csv
printf 'text\na\n"b" c\n' >../in
fails "CSV behind a quote" 1 "standard input:3: in CSV the delimiter" wordllama rank a --csv
printf 'text\na\n"b\nc\n\n' >../in
fails "CSV in open quotes" 1 "standard input:3: a field of CSV in quotes that are never closed" wordllama rank a --csv
printf 'text,b\n"a\nb",2\nc\n' >../in
fails "CSV with a short record" 1 "standard input:4: the record has 1 column, and those before it have 2" \
    wordllama rank a --csv --output ranked
printf 'text\nsay "hi"\n""\n' >../in
works "CSV with a quote inside" wordllama rank --json --csv --keep-order a
ok "CSV with a quote inside: kept" grep -q '"text": "say \\"hi\\""' ../out
ok "CSV with an empty field: a text" out_lines 2
printf 'a,b,text\n1,2,x\n' >../other.csv
fails "CSV with two headers" 2 "../other.csv:1: the columns are not those of ../table.csv" \
    wordllama filter --csv --input ../table.csv --input ../other.csv --threshold -1 a
works "CSV with two headers, texts alone" wordllama rank --csv --input ../table.csv --input ../other.csv a
ok "CSV with two headers, texts alone: all" [ "$(grep -c '^[-0-9.]*	' ../out)" -eq 4 ]
printf '"id","text","note"\n4,by car,\n' >../quoted.csv
works "CSV with two ways to write a header" wordllama filter --csv --input ../table.csv --input ../quoted.csv car
ok "CSV with two ways to write a header: one" [ "$(grep -c note ../out)" -eq 1 ]
printf 'id;text\n1;"by; car"\n' >../in
works "CSV --delimiter" wordllama rank --csv --delimiter ";" --json car
ok "CSV --delimiter: the column" grep -qF '"text": "by; car", "record": {"id": "1", "text": "by; car"}' ../out
fails "CSV with another delimiter" 1 "--delimiter ';' reads columns between semicolons" wordllama rank --csv car
printf 'id\ttext\n1\tby car\n' >../in
works "CSV --delimiter tab" wordllama filter --csv --delimiter tab car
ok "CSV --delimiter tab: the record" cmp -s ../out ../in
fails "CSV with tabs" 1 "--delimiter tab reads columns between tabs" wordllama rank --csv car
for value in "" ,, é '"'; do
    fails "CSV --delimiter '$value'" 2 "expected one ASCII character or 'tab'" wordllama rank a --csv --delimiter "$value"
done
fails "--delimiter alone" 2 "--delimiter has a meaning with --csv only" wordllama rank a --delimiter ";"

# A faulty record takes none of those before it along.
keeps() { [ "$status" -ne 0 ] && [ "$(cat ../out)" = "$1" ]; }
printf 'id,text\n1,by car\n2,"by" car\n' >../in
run wordllama filter --csv car
ok "filter CSV with a fault: what is before it" keeps 'id,text
1,by car'
run wordllama tokenize --csv --count
ok "tokenize CSV with a fault: what is before it" keeps 2
run wordllama embed --csv --binary --dim 8
ok "embed CSV with a fault: what is before it" [ "$(wc -l <../out)" -eq 1 ]
run wordllama split --csv
ok "split CSV with a fault: what is before it" keeps "by car"
printf 'id,text\n2,"by" car\n' >../in
run wordllama filter --csv car
ok "filter CSV with a fault at once: the header" keeps "id,text"
printf '{"text": "by car"}\n{"text": 1}\n' >../in
run wordllama filter --jsonl car
ok "filter JSONL with a fault: what is before it" keeps '{"text": "by car"}'
printf '[306]\n[x]\n' >../in
run wordllama detokenize
ok "detokenize a fault: what is before it" keeps I
awk 'BEGIN { for (i = 0; i < 20000; i++) print "by car " i }' | gzip -c >../long.gz
head -c 20000 ../long.gz >../in
for flags in "" "--threads 1"; do
    # shellcheck disable=SC2086
    run wordllama filter $flags car
    ok "filter gzip with a fault: status" [ "$status" -eq 2 ]
    gzip -dc <../in 2>../err | sed '$d' >../wanted
    ok "filter gzip with a fault: what is before it" cmp -s ../out ../wanted
done
: >../in
works "CSV of nothing" wordllama rank --csv a
ok "CSV of nothing: nothing" [ ! -s ../out ]
awk 'BEGIN { print "n,text"; for (i = 0; i < 40000; i++) printf "%d,\"line %d\nof a \"\"text\"\", long\"\n", i, i }' \
    >../long.csv
works "CSV over many blocks" wordllama tokenize --count --csv --input ../long.csv
ok "CSV over many blocks: texts" out_lines 40000
works "CSV over many blocks, filtered" wordllama filter --csv --threshold -1 --input ../long.csv a
ok "CSV over many blocks, filtered: the same" cmp -s ../out ../long.csv
fails "CSV and JSONL" 2 "--jsonl and --csv contradict" wordllama rank a --jsonl --csv
fails "no header without CSV" 2 "--no-header" wordllama rank a --no-header
fails "arguments and CSV" 2 "--csv" wordllama rank a b --csv
run wordllama tokenize --input ../table.csv
ok "CSV read as lines: a warning" says "../table.csv is read line by line; --csv reads its fields"
ok "CSV read as lines: status" [ "$status" -eq 0 ]
cp ../table.csv ../TABLE.TSV
run wordllama tokenize --input ../TABLE.TSV
ok "TSV read as lines: a warning" says "../TABLE.TSV is read line by line; --csv --delimiter tab reads its fields"
cp ../in.jsonl ../lines.NDJSON
run wordllama tokenize --input ../lines.NDJSON
ok "NDJSON read as lines: a warning" says "../lines.NDJSON is read line by line; --jsonl reads its fields"
printf '\3757zXZ\000' >../in
fails "xz" 1 "standard input: is packed with xz, expected UTF-8 text" wordllama tokenize
printf 'BZh91AY&SYxxxx' >../in
fails "bzip2" 1 "is packed with bzip2" wordllama tokenize
printf '\050\265\057\375xxxx' >../in
fails "zstd" 1 "is packed with zstd" wordllama tokenize
printf '\377\376a\000' >../in
fails "UTF-16, little end first" 1 "is UTF-16, expected UTF-8 text" wordllama tokenize
printf '\376\377\000a' >../in
fails "UTF-16, big end first" 1 "is UTF-16, expected UTF-8 text" wordllama tokenize
printf 'BZh is a text' >../in
works "nearly bzip2" wordllama tokenize --count
printf 'a' | gzip -c >../two.gz
printf '\nb' | gzip -c >>../two.gz
printf 'garbage' >>../two.gz
works "gzip of two members" wordllama tokenize --count --input ../two.gz
ok "gzip of two members: two lines" out_lines 2
printf '\037' >../in
run wordllama tokenize --count
ok "one byte of gzip" [ "$status" -eq 0 ]
: >../in

# ---- dedup -----------------------------------------------------------------------------------------------------------

printf 'I went to the car\nby boat\n\nI went to the car.\nI went to the car\n\nby boat\nby car\n' >../in
works "dedup" wordllama dedup
ok "dedup: lines" out_is 'I went to the car
by boat

by car'
works "dedup --exact" env -u WORDLLAMA_MODEL WORDLLAMA_CACHE=nowhere wordllama dedup --exact
ok "dedup --exact: lines" out_is 'I went to the car
by boat

I went to the car.
by car'
works "dedup --threshold" wordllama dedup --threshold 0.5
ok "dedup --threshold: lines" out_is 'I went to the car
by boat'
works "dedup --threshold 1" wordllama dedup --threshold 1
ok "dedup --threshold 1: only what is equal" out_lines 5
works "dedup --indices" wordllama dedup --indices
ok "dedup --indices: places" out_is '0
1
2
7'
works "dedup --removed --indices" wordllama dedup --removed --indices
ok "dedup --removed --indices: places" out_is '3
4
5
6'
works "dedup --removed" wordllama dedup --removed
ok "dedup --removed: what repeats what" grep -q "^0.9[0-9]*	I went to the car\.	I went to the car$" ../out
ok "dedup --removed: an equal one" grep -q "^1.000000	by boat	by boat$" ../out
works "dedup --json" wordllama dedup --json
ok "dedup --json: objects" [ "$(tail -n 1 ../out)" = '{"index": 7, "text": "by car"}' ]
works "dedup --json --removed" wordllama dedup --json --removed
ok "dedup --json --removed: objects" [ "$(tail -n 1 ../out)" = \
    '{"score": 1.000000, "index": 6, "repeats": 1, "text": "by boat"}' ]
for threads in 1 3; do
    works "dedup --threads $threads" wordllama dedup --threads $threads --indices
    ok "dedup --threads $threads: the same" [ "$(tr '\n' ' ' <../out)" = "0 1 2 7 " ]
done
for flags in --binary --hamming "--dim 64"; do
    # shellcheck disable=SC2086
    works "dedup $flags" wordllama dedup $flags --threshold 0.99
    ok "dedup $flags: lines" grep -qx 'by car' ../out
done
works "dedup arguments" wordllama dedup a a b a
ok "dedup arguments: two" out_is 'a
b'
works "dedup of equal texts" wordllama dedup a a a
ok "dedup of equal texts: one" out_is a
works "dedup of one text" wordllama dedup a
ok "dedup of one text: it" out_is a
works "dedup of nothing" wordllama dedup --input /dev/null
ok "dedup of nothing: nothing" [ ! -s ../out ]
# B repeats A and C repeats B, but C does not repeat A.
printf 'one two three four\none two three five\none two six five\n' >../in
works "dedup of a chain" wordllama dedup --threshold 0.6
first=$(wc -l <../out)
works "dedup --greedy" wordllama dedup --threshold 0.6 --greedy
ok "dedup --greedy: keeps no less" [ "$(wc -l <../out)" -ge "$first" ]
printf 'by boat\nI went to the car!\n' >../held
printf 'by car\nI went to the car\nby boat\nby car\n' >../in
works "dedup --against" wordllama dedup --against ../held
ok "dedup --against: lines" out_is 'by car'
works "dedup --against --removed" wordllama dedup --against ../held --removed --json
ok "dedup --against --removed: places in both" sh -c "grep -q '\"index\": 1, \"against\": 1,' ../out &&
    grep -q '\"index\": 2, \"against\": 0,' ../out && grep -q '\"index\": 3, \"repeats\": 0,' ../out"
works "dedup --against --exact" wordllama dedup --against ../held --exact
ok "dedup --against --exact: lines" out_is 'by car
I went to the car'
works "dedup --against itself" wordllama dedup --against ../in --input ../in
ok "dedup --against itself: nothing" [ ! -s ../out ]
works "dedup --against standard input" wordllama dedup --against - --input ../held
ok "dedup --against standard input: lines" [ ! -s ../out ]
works "dedup two --against" wordllama dedup --against ../held --against ../named --json --removed "by car" "by boat"
ok "dedup two --against: both" [ "$(sed -n 's/.*"against": \([0-9]*\),.*/\1/p' ../out | tr '\n' ' ')" = "2 0 " ]
works "dedup --hamming" wordllama dedup --hamming "I went to the car" "I went to the park"
ok "dedup --hamming: 0.95" out_lines 2
works "dedup --removed on one line" wordllama dedup --removed "$(printf 'b\tc')" "$(printf 'b\tc')"
ok "dedup --removed on one line: spaces" out_is "$(printf '1.000000\tb c\tb c')"
works "dedup JSONL" wordllama dedup --jsonl --input ../in.jsonl --input ../in.jsonl
ok "dedup JSONL: whole lines" cmp -s ../out ../in.jsonl
works "dedup CSV" wordllama dedup --csv --input ../table.csv --input ../table.csv
printf 'id,"text",note\r\n1,by car,\r\n2,"a boat, and ""two\r\nlines""",x\r\n3,"I went to the car",\n' >../wanted
ok "dedup CSV: whole records" cmp -s ../out ../wanted
works "dedup --output" wordllama dedup --output kept a a
ok "dedup --output: lines" [ "$(cat kept)" = a ]
rm kept
fails "dedup --exact --threshold" 2 "--threshold has no meaning" wordllama dedup a --exact --threshold 0.5
fails "dedup --exact --greedy" 2 "--greedy has no meaning" wordllama dedup a --exact --greedy
fails "dedup --exact --binary" 2 "--binary has no meaning" wordllama dedup a --exact --binary
fails "dedup --json --indices" 2 "contradict" wordllama dedup a --json --indices
fails "dedup --against nowhere" 1 "nowhere: cannot open" wordllama dedup a --against nowhere
fails "dedup both from standard input" 2 "--against both come from standard input" wordllama dedup --against -
fails "dedup: not a number" 2 "expected a number from -1 to 1" wordllama dedup a --threshold nan

# ---- cluster ---------------------------------------------------------------------------------------------------------

printf 'by car\na red apple\nby bus\na green pear\n' >../in
works "cluster" wordllama cluster --clusters 2
ok "cluster: two groups" [ "$(sed -n '1p;3p' ../out | cut -f 1 | sort -u | wc -l)" -eq 1 ] &&
    ok "cluster: the others" [ "$(sed -n '2p;4p' ../out | cut -f 1 | sort -u | wc -l)" -eq 1 ]
ok "cluster: texts in order" sh -c 'cut -f 2 ../out | cmp -s - ../in'
cp ../out ../labels
for threads in 1 3; do
    works "cluster --threads $threads" wordllama cluster --clusters 2 --threads $threads
    ok "cluster --threads $threads: the same" cmp -s ../out ../labels
done
works "cluster --json" wordllama cluster --clusters 2 --json
ok "cluster --json: objects" [ "$(grep -c '^{"cluster": [01], "index": [0-3], "text": ".*"}$' ../out)" -eq 4 ]
works "cluster --summary" wordllama cluster --clusters 2 --summary
ok "cluster --summary: sizes" [ "$(grep -c '^cluster [01]: 2 texts, [0-9.]*% of the inertia$' ../out)" -eq 2 ]
ok "cluster --summary: texts" [ "$(grep -c '^0\.[0-9]*	' ../out)" -eq 4 ]
works "cluster --summary --json" wordllama cluster --clusters 2 --summary --json
ok "cluster --summary --json: objects" \
    [ "$(grep -c '^{"cluster": [01], "size": 2, "inertia": [0-9.]*, "share": 0\.[0-9]*, "nearest": \[{"score"' ../out)" \
    -eq 2 ]
for flags in "--seed 7" "--starts 1" "--iterations 1" "--tolerance 0" "--tolerance 1e-2" --spherical "--batch 2" \
    "--dim 64"; do
    # shellcheck disable=SC2086
    works "cluster $flags" wordllama cluster --clusters 2 $flags
    ok "cluster $flags: four lines" out_lines 4
done
works "cluster in as many as there are" wordllama cluster --clusters 4
ok "cluster in as many as there are: all apart" [ "$(cut -f 1 ../out | sort -u | wc -l)" -eq 4 ]
works "cluster in one" wordllama cluster --clusters 1
ok "cluster in one: one" [ "$(cut -f 1 ../out | sort -u)" = 0 ]
works "cluster one text" wordllama cluster --clusters 1 --summary a
ok "cluster one text: no inertia" grep -q '^cluster 0: 1 text, 0\.0% of the inertia$' ../out
run wordllama cluster --clusters 2 --summary a a a
ok "cluster equal texts: status" [ "$status" -eq 0 ]
ok "cluster equal texts: a warning" says "warning: 1 of 2 clusters is empty"
works "cluster on one line" wordllama cluster --clusters 1 "$(printf 'b\tc\nd')"
ok "cluster on one line: spaces" out_is "$(printf '0\tb c d')"
ok "cluster: no groups in its help" sh -c "! wordllama cluster --help | sed 1,3d | grep -qi 'group'"
works "cluster texts without tokens" wordllama cluster --clusters 1 "" ""
fails "cluster in more than there are" 1 "--clusters is 5, but there are 4 texts" wordllama cluster --clusters 5
fails "cluster in none" 2 "expected a whole number from 1" wordllama cluster --clusters 0
fails "cluster without a number" 2 "--clusters is missing" wordllama cluster a b
fails "cluster nothing" 1 "there are 0 texts" wordllama cluster --clusters 1 --input /dev/null
fails "cluster: not a tolerance" 2 "expected a number from 0" wordllama cluster --clusters 1 a --tolerance nan
fails "cluster: a tolerance below 0" 2 "expected a number from 0" wordllama cluster --clusters 1 a --tolerance -1
fails "cluster of bits" 2 "unknown flag '--binary'" wordllama cluster --clusters 1 a --binary

is_picture() { # FILE: well-formed, and a picture on its own
    grep -q '^<svg xmlns="http://www.w3.org/2000/svg"' "$1" && [ "$(tail -n 1 "$1")" = "</svg>" ] &&
        ! grep -q 'nan\|inf\|href' "$1" || return 1
    ! command -v python3 >/dev/null ||
        python3 -c 'import sys, xml.dom.minidom; xml.dom.minidom.parse(sys.argv[1])' "$1" 2>../err
}
printf 'by car\n<b>&"bus"</b>\na red\001apple \377\ncaf\303\251 \357\277\277\n' >../in
run wordllama cluster --clusters 2 --plot clusters.svg
ok "cluster --plot: status" [ "$status" -eq 0 ]
ok "cluster --plot: labels, too" out_lines 4
ok "cluster --plot: a picture" is_picture clusters.svg
ok "cluster --plot: nothing that renderers leave out" sh -c "! grep -q 'paint-order' clusters.svg"
ok "cluster --plot: escaped" grep -qF '&lt;b&gt;&amp;"bus"&lt;/b&gt;' clusters.svg
cp clusters.svg ../first.svg
run wordllama cluster --clusters 2 --plot clusters.svg --threads 1
ok "cluster --plot: the same again" cmp -s clusters.svg ../first.svg
works "cluster --plot of equal texts" wordllama cluster --clusters 1 --plot clusters.svg a a a
ok "cluster --plot of equal texts: a picture" is_picture clusters.svg
works "cluster --plot of one text" wordllama cluster --clusters 1 --plot clusters.svg a
ok "cluster --plot of one text: a picture" is_picture clusters.svg
works "cluster --plot of many" wordllama cluster --clusters 30 --starts 1 --plot clusters.svg --input ../many
ok "cluster --plot of many: a sample" [ "$(grep -c '<circle.*<title>' clusters.svg)" -eq 5000 ]
ok "cluster --plot of many: says so" grep -q '5000 of them are drawn' clusters.svg
ok "cluster --plot of many: bounded" [ "$(wc -c <clusters.svg)" -lt 2000000 ]
ok "cluster --plot of many: a picture" is_picture clusters.svg
rm clusters.svg
fails "cluster --plot nowhere" 1 "nowhere/a.svg: cannot write" wordllama cluster --clusters 1 a --plot nowhere/a.svg
fails "cluster --plot and --output" 2 "--plot and --output name the same file" \
    wordllama cluster --clusters 1 a --plot a.svg --output ./a.svg
fails "cluster --plot to /dev/stdout" 2 "both go to standard output" wordllama cluster --clusters 1 a --plot /dev/stdout
fails "cluster --plot and labels" 2 "both go to standard output" wordllama cluster --clusters 1 a --plot -

works "similarity --matrix" wordllama similarity --matrix "by car" "by car" ""
ok "similarity --matrix: numbers" out_is "$(printf '%s\t%s\t%s\n' 1.000000 1.000000 0.000000 \
    1.000000 1.000000 0.000000 0.000000 0.000000 0.000000)"
works "similarity --matrix --json" wordllama similarity --matrix --json a "b\"c"
ok "similarity --matrix --json: objects" \
    [ "$(grep -c '^{"index": [01], "text": ".*", "scores": \[[-0-9.]*, [-0-9.]*\]}$' ../out)" -eq 2 ]
head -n 1000 ../many >../some
works "similarity --matrix of lines" wordllama similarity --matrix --input ../some --output matrix --threads 2
ok "similarity --matrix of lines: square" awk 'NF != 1000 { exit 1 } END { exit NR != 1000 }' matrix
rm matrix
for flags in --binary --hamming; do
    works "similarity --matrix $flags" wordllama similarity --matrix $flags a
    ok "similarity --matrix $flags: one" out_is 1.000000
done
works "similarity --matrix of nothing" wordllama similarity --matrix --input /dev/null
ok "similarity --matrix of nothing: nothing" [ ! -s ../out ]
works "similarity --json" wordllama similarity --json a a
ok "similarity --json: an object" out_is '{"score": 1.000000}'
run wordllama similarity --matrix --input ../in --plot heat.svg
ok "similarity --plot: status" [ "$status" -eq 0 ]
ok "similarity --plot: a picture" is_picture heat.svg
ok "similarity --plot: escaped" grep -qF '&lt;b&gt;&amp;"bus"&lt;/b&gt;' heat.svg
ok "similarity --plot: whole texts as tooltips" grep -q '<rect.*<title>by car</title>' heat.svg
run wordllama similarity --matrix --hamming --input ../in --plot heat.svg
ok "similarity --plot --hamming: a scale without negative numbers" sh -c "! grep -q '>-[0-9.]*</text>' heat.svg"
head -n 60 ../many >../sixty
works "similarity --plot of sixty" wordllama similarity --matrix --input ../sixty --plot heat.svg
ok "similarity --plot of sixty: labels" [ "$(grep -c 'class="ink".*>text [0-9]*</text>' heat.svg || :)" -ge 1 ]
works "similarity --plot of many" wordllama similarity --matrix --input ../some --plot heat.svg
ok "similarity --plot of many: says so" grep -q '100 of them are drawn' heat.svg
ok "similarity --plot of many: a picture" is_picture heat.svg
ok "similarity --plot of many: tooltips" [ "$(grep -c '<rect.*<title>' heat.svg)" -eq 100 ]
printf 'WWWWWWWWWWWWWWWWWWWWWWWWWWWWWWWWWWWWWWWWWWWWWWWWWWWWWWWWW\nb\n' >../wide
works "similarity --plot of wide letters" wordllama similarity --matrix --input ../wide --plot heat.svg
ok "similarity --plot of wide letters: cut" grep -q 'class="ink".*>W*\(…\|&#8230;\)' heat.svg
rm heat.svg
fails "similarity --plot of nothing" 1 "there is no text to draw" \
    wordllama similarity --matrix --input /dev/null --plot heat.svg
fails "similarity --plot alone" 2 "--plot has a meaning with --matrix only" wordllama similarity a b --plot a.svg
fails "similarity of a file" 2 "--matrix" wordllama similarity --input ../in

# ---- split -----------------------------------------------------------------------------------------------------------

awk 'BEGIN { for (i = 1; i <= 60; i++) printf "Sentence number %d is about the sea and the boats. It goes on.\n\n", i }' \
    >../in
cp ../in ../long.txt
works "split" wordllama split --size 200
ok "split: chunks" [ "$(grep -cx -- -- ../out)" -ge 5 ]
cp ../out ../chunks
works "split a file" wordllama split --size 200 ../long.txt
ok "split a file: the same" cmp -s ../out ../chunks
gzip -c ../long.txt >../long.txt.gz
works "split gzip" wordllama split --size 200 ../long.txt.gz
ok "split gzip: the same" cmp -s ../out ../chunks
works "split -" wordllama split --size 200 -
ok "split -: the same" cmp -s ../out ../chunks
works "split --json" wordllama split --json --size 200 ../long.txt ../long.txt
ok "split --json: objects" [ "$(grep -c \
    '^{"source": "../long.txt", "index": [01], "begin": [0-9]*, "end": [0-9]*, "text": ".*"}$' ../out)" -eq "$(wc -l <../out)" ]
ok "split --json: two texts" grep -q '"index": 1, "begin": 0,' ../out
works "split --spans --zero" wordllama split --spans --zero --size 200 ../long.txt
ok "split --spans --zero: nothing is lost" sh -c "tr -d '\\000' <../out | cmp -s - ../long.txt"
ok "split --spans --zero: chunks" [ "$(tr -cd '\000' <../out | wc -c)" -ge 5 ]
for flags in --tokens "--intermediate-size 50" "--cleanup-size 10" "--window 5" \
    "--smoothing-window 5 --polynomial-order 3"; do
    # shellcheck disable=SC2086
    works "split $flags" wordllama split $flags --size 150 ../long.txt
    ok "split $flags: chunks" [ "$(grep -cx -- -- ../out)" -ge 1 ]
done
works "split JSONL" wordllama split --jsonl --json ../in.jsonl
ok "split JSONL: places" grep -q '^{"source": "../in.jsonl", "index": 2, "begin": 0,' ../out
works "split CSV" wordllama split --csv --json ../table.csv
ok "split CSV: texts" grep -q '"index": 2, "begin": 0, "end": 17, "text": "I went to the car"' ../out
works "split nothing" wordllama split /dev/null
ok "split nothing: nothing" [ ! -s ../out ]
works "split --output" wordllama split --output chunks "../long.txt"
rm chunks
fails "split nowhere" 1 "nowhere: cannot open" wordllama split nowhere
fails "split a folder" 1 "is a directory" wordllama split ..
fails "split --json --zero" 2 "contradict" wordllama split --json --zero
fails "split: sizes" 2 "--size is 50, expected more than --intermediate-size, which is 60" \
    wordllama split --size 50 --intermediate-size 60
fails "split: sizes below" 2 "--intermediate-size is 20, expected more than --cleanup-size, which is 20" \
    wordllama split --intermediate-size 20 --cleanup-size 20
fails "split: the smallest size" 2 "--size is 2, expected more than" wordllama split --size 2
wordllama split --size 50 --intermediate-size 25 --cleanup-size 6 ../long.txt >../explicit
works "split --size 50" wordllama split --size 50 ../long.txt
ok "split --size 50: smaller pieces" cmp -s ../out ../explicit
for size in 3 4 8 96 97; do
    works "split --size $size" wordllama split --size $size ../long.txt
done
works "split --intermediate-size 20" wordllama split --intermediate-size 20 ../long.txt
fails "split: an even window" 2 "--window is 4, expected an odd number" wordllama split --window 4 ../long.txt
fails "split: an even smoothing window" 2 "--smoothing-window is 4, expected an odd number" \
    wordllama split --smoothing-window 4 ../long.txt
fails "split: too high an order" 2 "--polynomial-order is 3, expected less than --smoothing-window, which is 3" \
    wordllama split --polynomial-order 3 ../long.txt
fails "split --input" 2 "(files are arguments: 'wordllama split FILE')" wordllama split --input ../long.txt
fails "split: size zero" 2 "expected a whole number from 1" wordllama split --size 0
: >../in

# ---- explain ---------------------------------------------------------------------------------------------------------

works "explain" wordllama explain "I went to the car" "I went to the sedan"
wordllama similarity "I went to the car" "I went to the sedan" >../score
ok "explain: the score" [ "$(head -n 1 ../out)" = "$(cat ../score)" ]
ok "explain: two tables" [ "$(grep -c '^$' ../out)" -eq 2 ]
ok "explain: shares sum to the score" awk -F '	' 'NR == 1 { score = $1 } /^$/ { table++ } NF == 2 { sum[table] += $2 }
    END { for (i = 1; i <= 2; i++) if ((sum[i] - score) ^ 2 > 1e-9) exit 1 }' ../out
works "explain --json" wordllama explain --json "I went" "I \"left\""
ok "explain --json: an object" grep -q \
    '^{"score": [-0-9.]*, "a": {"text": "I went", "tokens": \[{"id": [0-9]*, "piece": ".*", "begin": 0, "end": 1, ' ../out
works "explain nothing" wordllama explain "" "I went"
ok "explain nothing: zero" [ "$(head -n 1 ../out)" = 0.000000 ]
works "explain --dim" wordllama explain --dim 16 "I went" "I left"
escape=$(printf '\033')
if script -qec true /dev/null >/dev/null 2>&1; then
    run env TERM=xterm script -qec 'wordllama explain "I went to the car" "I went to the sedan"' /dev/null
    ok "explain on a terminal: colours" grep -q "$escape\[38;5;16;48;5;[0-9]*m" ../out
    ok "explain on a terminal: the text" sh -c "sed 's/$escape\[[0-9;]*m//g' ../out | grep -q '^I went to the sedan'"
    run env TERM=xterm NO_COLOR=1 script -qec 'wordllama explain "I went to the car" "I went to the sedan"' /dev/null
    ok "explain with NO_COLOR: a table" sh -c "! grep -q '$escape' ../out && [ $(wc -l <../out) -gt 10 ]"
else
    skip "explain on a terminal: no 'script' that runs a command"
fi
works "explain --color always" env NO_COLOR=1 wordllama explain --color always "by car" "by bus"
ok "explain --color always: colours" grep -q "$escape\[38;5;16;48;5;[0-9]*m" ../out
works "explain --color never" wordllama explain --color never "by car" "by bus"
ok "explain --color never: a table" [ "$(grep -c '^$' ../out)" -eq 2 ]
fails "explain one text" 2 "takes A B" wordllama explain a
: >../in

# ---- tokens ----------------------------------------------------------------------------------------------------------

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

# ---- models of the hub -----------------------------------------------------------------------------------------------

fails "a file that is missing, not a name at the hub" 1 "weights/x.safetensors: no such model file" \
    wordllama embed a --model weights/x.safetensors
mkfifo ../hub_input
python3 "$tests/hub_server.py" <../hub_input >../port &
server=$!
exec 4>../hub_input
for _ in 1 2 3 4 5 6 7 8 9 10; do
    [ -s ../port ] || sleep 0.2
done
if [ -s ../port ] && [ -x "$(dirname "$wl")/wordllama-train" ]; then
    hub=http://127.0.0.1:$(cat ../port)
    HF_ENDPOINT=$hub/ok
    works "pull from the hub" wordllama pull golden/wordllama-f32
    folder=$(cat ../out)
    ok "pull from the hub: a snapshot" [ -L "$folder/model.safetensors" ]
    ok "pull from the hub: the model" cmp -s "$folder/model.safetensors" "$tests/golden/models/wordllama-f32/model.safetensors"
    ok "pull from the hub: in the hub's cache" [ "${folder#"$HF_HUB_CACHE"/models--golden--wordllama-f32/snapshots/}" != "$folder" ]
    works "pull --revision" wordllama pull golden/wordllama-f32 --revision refs/pr/1
    ok "pull --revision: the same folder" out_is "$folder"
    works "pull --force" wordllama pull --force golden/wordllama-f32
    works "a model of the hub, cached" env HF_ENDPOINT=http://127.0.0.1:1 wordllama embed --model golden/wordllama-f32 a
    cp ../out ../vectors
    works "a folder of the same" wordllama embed --model "$folder" a
    ok "a folder of the same: vectors" cmp -s ../out ../vectors
    printf 'a\n' >../in
    works "a model of the hub, fetched" wordllama embed --model golden/model2vec-nested
    ok "a model of the hub, fetched: standard input is not eaten" out_lines 1
    : >../in
    works "a model of the hub, of several sizes" \
        env WORDLLAMA_CACHE="$work/cache" wordllama embed --model golden/several a
    ok "a model of the hub, of several sizes: vectors" cmp -s ../out ../vectors
    works "info of a model of the hub" wordllama info golden/model2vec-f16
    works "convert a model of the hub" wordllama convert golden/model2vec-f16 packed.safetensors
    rm -f packed.safetensors
    works "offline" env HF_HUB_OFFLINE=1 wordllama pull golden/wordllama-f32
    fails "offline, not cached" 1 "is not in $HF_HUB_CACHE" env HF_HUB_OFFLINE=1 wordllama pull golden/wordllama-i8
    fails "gated" 1 "agree to the licence at $hub/ok/owner/gated, then log in" wordllama pull owner/gated
    fails "no such repository" 1 "no repository owner/absent" wordllama pull owner/absent
    fails "no such revision" 1 "no revision nosuch" wordllama pull owner/stand-in --revision nosuch
    fails "no model" 1 "holds no WordLlama, Model2Vec or StaticEmbedding model" wordllama pull owner/stand-in
    fails "a language model" 1 "wordllama extract" wordllama pull owner/language
    fails "no name at the hub" 2 "expected OWNER/NAME" wordllama pull a/b/c
    fails "a revision of a known model" 2 "--revision is for a repository" wordllama pull l2_supercat_256 --revision x
    run wordllama embed a --model owner/absent
    ok "no such model: status" [ "$status" -eq 1 ]
    ok "no such model: both readings" grep -q "no file or folder here, and no model could be fetched" ../err
    HF_ENDPOINT=http://127.0.0.1:1
else
    skip "models of the hub: no python3, or no wordllama-train beside wordllama"
fi
exec 4>&-
wait $server || true

# ---- codebooks -------------------------------------------------------------------------------------------------------

# Sets of one kind in a folder of their own: what must not be lost is there, what must not appear is not.
mkdir ../codebooks
works "extract" wordllama extract "$model" ../codebooks/a.safetensors
ok "extract: one line" grep -qx '../codebooks/a.safetensors: [0-9]* x [0-9]* of embedding.weight (F16), .*tokenizer.json' ../out
sum=$(cksum <../codebooks/a.safetensors)
kept() { [ "$(cksum <../codebooks/a.safetensors)" = "$sum" ]; }
a=../codebooks/a.safetensors
works "extract -o into a new folder" wordllama extract $a -o new/folder/
ok "extract -o: the file" cmp -s new/folder/tokenizer.json ../codebooks/tokenizer.json
rm -rf new
fails "extract: no OUT" 2 "extract needs -o OUT" wordllama extract $a
fails "extract: two OUT" 2 "two files to write" wordllama extract $a b -o c
fails "extract: over its source" 2 "is a file that is read" wordllama extract $a $a
fails "extract: nothing there" 1 "no config of that name" wordllama extract nowhere b
fails "extract: no name" 2 "the source's name is empty" wordllama extract "" b
fails "extract: a device" 1 "/dev/null: is no regular file" wordllama extract $a /dev/null
fails "extract: standard output" 2 "not to standard output" wordllama extract $a -
fails "extract: a config that does not fit" 1 "the config llama2_70B expects 32000 x 8192" \
    wordllama extract $a b --config llama2_70B
fails "concat: over its source" 2 "expected another file to write" wordllama concat $a $a -o $a
fails "concat: a device" 1 "/dev/null: is no regular file" wordllama concat $a $a -o /dev/null
fails "concat: scale" 2 "expected none, variance or norm" wordllama concat $a $a -o b --scale unit
fails "reduce: over its texts" 2 "is a file that is read" wordllama reduce $a ../in --input ../in
fails "codebook: without info" 2 "'codebook info $a'" wordllama codebook $a
fails "codebook: a picture over the table" 2 "is a file that is read" wordllama codebook info $a --plot $a
fails "codebook: no such token" 1 "no token is" wordllama codebook info $a --token "no such token"
fails "configs: no such" 1 "no config is known" wordllama configs nobody
ok "codebooks: nothing was written over" kept
small_files() { (ulimit -f 100 && wordllama extract $a b.safetensors); }
fails "extract: a file that may not grow" 1 "cannot write: File too large" small_files
rm -rf ../codebooks

# ---- eval ------------------------------------------------------------------------------------------------------------

if [ -x "$(dirname "$wl")/wordllama-train" ]; then
    mkdir ../eval ../eval/sts ../eval/pair ../empty
    e=../eval
    printf '{"score": %s, "text1": "%s", "text2": "%s"}\n' 5 car automobile 4 boat ship 2 "the river" bank 1 car apple \
        >$e/sts/words.jsonl
    printf 'label\tsentence1\tsentence2\n1\tby car\tin a car\n0\tby car\ta pear\n' >$e/pair/two.tsv
    works "eval" wordllama eval "$model" $e
    ok "eval: the table" [ "$(tr -s ' ' <../out | cut -d' ' -f2 | tr '\n' ';')" = "$dim;(Spearman);words;(average;two;of;" ]
    works "eval: variants" wordllama eval "$model" $e --dims "$dim,64" --binary --only pair --json
    ok "eval --json: variants" [ "$(grep -o '"dim"' ../out | wc -l)" -eq 4 ]
    ok "eval --json: a pair" grep -q '"two": {"metric": "average precision", "score": 100.0000}' ../out
    works "eval --compare" wordllama eval "$model" "$model" $e --compare --samples 200 --plot ../eval.svg -o ../eval.txt
    ok "eval --compare: itself" grep -q '0 wins, 0 losses, 2 undecided' ../eval.txt
    ok "eval --plot" grep -q '^<svg ' ../eval.svg
    works "eval --markdown" wordllama eval "$model" $e/pair/two.tsv --markdown
    ok "eval --markdown: a table" grep -q '^|.*two.*|.*100.00' ../out
    works "eval: the variable" env WORDLLAMA_EVAL=$e wordllama eval "$model" --threads 1
    fails "eval: no set" 2 "no evaluation set is given" wordllama eval "$model"
    fails "eval: a set that is not there" 2 "'nowhere' is not there" wordllama eval "$model" nowhere
    fails "eval: no model" 2 "no MODEL is given" wordllama eval $e
    fails "eval: an empty folder" 1 "holds no set" wordllama eval "$model" ../empty
    fails "eval: no such group" 1 "no set or group 'sst'" wordllama eval "$model" $e --only sst
    fails "eval: more dimensions than there are" 2 "fewer than any" wordllama eval "$model" $e --dims 65536
    fails "eval: no numbers" 2 "expected numbers" wordllama eval "$model" $e --dims 256,
    fails "eval: over a set" 2 "is a file that is read" wordllama eval "$model" $e/sts/words.jsonl -o $e/sts/words.jsonl
    fails "eval: over a file of a set" 2 "in a folder that is read" wordllama eval "$model" $e --plot $e/pair/two.tsv
    fails "eval: over a model" 2 "in a folder that is read" wordllama eval "$model" $e -o "$model/tokenizer.json"
    fails "eval: twice the same file" 2 "written twice" wordllama eval "$model" $e -o x --plot x
    fails "eval: a set that is not there beside one" 1 "is not there" wordllama eval "$model" $e own.csv
    run sh -c 'wordllama eval "$1" "$2" | true' sh "$model" $e
    ok "eval: a closed pipe" succeeded
    works "eval --only with a group" wordllama eval "$model" $e --only sts/words
    mkdir $e/stss
    run wordllama eval "$model" $e
    ok "eval: a folder that is no group" says "stss is left out"
    rmdir $e/stss
    fails "eval: alone" 2 "two models or more" wordllama eval "$model" $e --compare
    fails "eval: two forms" 2 "contradict" wordllama eval "$model" $e --json --markdown
    printf '{"score": 1, "text1": "a", "text2": "b"}\n{"score": 2, "text1": "a"\n' >$e/broken.jsonl
    fails "eval: broken JSON" 1 "broken.jsonl:2: " wordllama eval "$model" $e/broken.jsonl
    printf '{"score": "NaN", "text1": "a", "text2": "b"}\n' >$e/broken.jsonl
    fails "eval: NaN" 1 "broken.jsonl:1: " wordllama eval "$model" $e/broken.jsonl
    printf '{"label": "a", "text": "%s"}\n' b c >$e/broken.jsonl
    fails "eval: one class" 1 "one class only" wordllama eval "$model" $e/broken.jsonl
    mkdir $e/beir $e/beir/qrels
    printf '{"_id": "%s", "title": "", "text": "%s"}\n' 1 "a car" 2 "a boat" >$e/beir/corpus.jsonl
    printf '{"_id": "%s", "text": "%s"}\n' x "an automobile" y "a ship" >$e/beir/queries.jsonl
    printf 'query-id\tcorpus-id\tscore\nx\t1\t1\ny\t2\t0\n' >$e/beir/qrels/test.tsv
    run wordllama eval "$model" $e/beir
    ok "eval: a query that nothing answers" says "1 of 2 queries"
    ok "eval: BEIR" grep -q '100.00' ../out
    printf 'query-id\tcorpus-id\tscore\nx\t1\t0\ny\t2\t0\n' >$e/beir/qrels/test.tsv
    fails "eval: no query that anything answers" 1 "relevant" wordllama eval "$model" $e/beir
else
    skip "eval (no wordllama-train beside the command)"
fi

# ---- classify --------------------------------------------------------------------------------------------------------

if [ -x "$(dirname "$wl")/wordllama-train" ]; then
    mkdir ../classify
    c=../classify
    printf '{"text": "%s", "label": "%s"}\n' "by car" travel "a train" travel "the boat" travel "two tickets" travel \
        "a soup" food "red apples" food "warm bread" food "a slice of cake" food >$c/texts.jsonl
    { echo 'label,text' && sed 's/.*: "\(.*\)",.*: "\(.*\)".*/\2,\1/' $c/texts.jsonl; } >$c/texts.csv
    sed 's/"text"/"x"/; s/"label"/"y"/' $c/texts.jsonl | gzip >$c/named.jsonl.gz
    works "train" wordllama classify train $c/texts.jsonl -o $c/c --folds 4
    ok "train: accuracy" grep -q '^accuracy:  [0-9.]*% in cross-validation with 4 folds$' ../out
    ok "train: a row for each class" grep -qx '   1 *[0-9] *[0-9]  food' ../out
    works "train: CSV" wordllama classify train $c/texts.csv -o $c/csv --folds 1
    ok "train: without folds" [ "$(wc -l <../out)" -eq 2 ]
    ok "train: CSV, the same file" cmp -s $c/c $c/csv
    works "train: other fields" \
        wordllama classify train $c/named.jsonl.gz -o $c/named --field x --label-field y --folds 2 --json --threads 1
    ok "train: the same file for other threads and folds" cmp -s $c/c $c/named
    ok "train: object" grep -q '^{"classes": 2, "texts": 8, "labels": \["food", "travel"\], "folds": 2, "accuracy": ' ../out
    works "predict" wordllama classify predict $c/c "a bus" "an orange"
    ok "predict: labels" [ "$(cut -f 1,3 ../out)" = "travel	a bus
food	an orange" ]
    printf 'a bus\nan orange\n' >../in
    cp ../out $c/lines
    works "predict: lines" wordllama classify predict $c/c
    ok "predict: lines, the same" cmp -s ../out $c/lines
    works "predict: file" wordllama classify predict $c/c --input ../in --output $c/out
    ok "predict: file, the same" cmp -s $c/out $c/lines
    printf '{"text": "a bus", "n": 1}\n' >../in
    works "predict: objects" wordllama classify predict $c/c --jsonl --json
    ok "predict: object" grep -q '^{"label": "travel", "probability": 0.*, "probabilities": {"food": 0.*, "travel": 0.*}, "index": 0, "text": "a bus", "record": {"text": "a bus", "n": 1}}$' ../out
    works "predict: descriptions" wordllama classify predict --label "t: by car, by train" --label food soup "a bus"
    ok "predict: descriptions, labels" [ "$(cut -f 1 ../out)" = "food
t" ]
    works "test" wordllama classify test $c/c $c/texts.jsonl $c/texts.csv
    ok "test: texts" grep -qx 'texts:     16' ../out
    ok "test: all right" grep -qx 'accuracy:  100.00%' ../out
    : >../in
    fails "classify: another word" 2 "expected train, predict or test" wordllama classify learn
    fails "classify: another's flag" 2 "classify test takes no --folds" wordllama classify test $c/c $c/texts.csv --folds 2
    fails "train: no files" 2 "classify train needs FILE..." wordllama classify train -o x
    fails "train: no OUT" 2 "classify train needs -o OUT" wordllama classify train $c/texts.jsonl
    fails "train: over its texts" 2 "is a file that is read" wordllama classify train $c/texts.csv -o $c/texts.csv
    fails "train: a folder" 2 "is a folder" wordllama classify train $c/texts.csv -o .
    fails "train: folds" 2 'the label "food" has 4 texts, fewer than the 5 folds' \
        wordllama classify train $c/texts.csv -o x
    fails "train: an empty file" 1 "/dev/null: holds no texts with labels" wordllama classify train /dev/null -o x
    fails "train: no such field" 1 'texts.csv' wordllama classify train $c/texts.csv -o x --field y
    sed 's/^food/travel/' $c/texts.csv >$c/one.csv
    fails "train: one label" 2 "all 8 texts have one label" wordllama classify train $c/one.csv -o x
    fails "predict: no classifier" 2 "needs a CLASSIFIER, or --label" wordllama classify predict
    fails "predict: a model" 1 "is no classifier" wordllama classify predict "$model/model.safetensors" a
    fails "predict: one label" 2 "1 label given" wordllama classify predict --label a a
    fails "predict: another model" 1 "was made with another model" \
        wordllama classify predict $c/c a --model "$tests/golden/models/wordllama-f32"
    fails "test: another label" 1 ":2: the label 'by car' is none of the classifier's: food, travel" \
        wordllama classify test $c/c $c/texts.csv --label-field text
else
    skip "classify: no wordllama-train beside wordllama"
fi

# ---- prepare ---------------------------------------------------------------------------------------------------------

if [ -x "$(dirname "$wl")/wordllama-train" ]; then
    mkdir ../prepare
    p=../prepare
    printf '{"anchor": "%s", "positive": "%s"}\n' car automobile "a  boat" ship Car Automobile "by car" " " \
        >$p/pairs.jsonl
    printf '{"score": %s, "text1": "%s", "text2": "%s"}\n' 1 "A boat" sail 2 automobiles wood >$p/held.jsonl
    works "prepare" wordllama prepare $p/pairs.jsonl -o $p/out --kept $p/kept --removed $p/removed
    ok "prepare: the table" [ "$(tr -s ' ' <../out | tr '\n' ';')" = "records 4;empty 1;too short 0;too long 0;equal \
sides 0;in evaluation 0;near evaluation 0;duplicate 1;kept 2;texts 4;tokens 6;" ]
    ok "prepare: kept" [ "$(sed 's/.*"anchor": "//; s/".*//' $p/kept | tr '\n' ';')" = "car;a boat;" ]
    ok "prepare: removed" [ "$(cut -d '"' -f 4 $p/removed | tr '\n' ';')" = "duplicate;empty;" ]
    works "prepare --evaluation --json" wordllama prepare $p/pairs.jsonl -o $p/other --evaluation $p/held.jsonl --json
    ok "prepare --json" grep -q '^{"records": 4, "removed": {"empty": 1, .*"in_evaluation": 1, .*"kept": 1, ' ../out
    run wordllama prepare $p/pairs.jsonl -o $p/other --evaluation $p/held.jsonl --near 0.5 --json
    ok "prepare: nothing left" says "no record is left"
    ok "prepare --near: found" grep -q '"near_evaluation": 2, ' ../out
    cp $p/out $p/before
    works "prepare with a tokenizer alone" wordllama prepare $p/pairs.jsonl -o $p/out --tokenizer "$model/tokenizer.json"
    ok "prepare: the same bytes" cmp -s $p/out $p/before
    works "prepare --resume: nothing to resume" wordllama prepare $p/pairs.jsonl -o $p/out --resume
    ok "prepare: nothing left beside OUT" [ ! -e $p/out.part ]
    printf '%s\n' question,answer,negative1,score 'what is a car?,a vehicle,,' 'what is a pear?,a fruit,a stone,3' >$p/q.csv
    works "prepare: a table with blank cells" wordllama prepare $p/q.csv -o $p/q.out --kept $p/q.jsonl --json
    works "prepare: what was kept" wordllama prepare $p/q.jsonl -o $p/q2.out --json
    ok "prepare: what was kept: all of it" grep -q '"kept": 2, "texts": 5,' ../out
    fails "prepare: two spellings" 2 "written twice" wordllama prepare $p/q.csv -o x --kept ./x
    works "prepare --texts" wordllama prepare $p/pairs.jsonl -o $p/out --texts $p/texts
    ok "prepare --texts: in order" [ "$(tr '\n' ';' <$p/texts)" = "car;automobile;a boat;ship;" ]
    works "a teacher of those" wordllama embed --input $p/texts --norm --format npy --output $p/one.npy
    works "targets" wordllama targets $p/one.npy $p/one.npy:0.5 -o $p/targets --dim 2 --whitening 0.3
    works "training on them" wordllama train --codebook "$model" --data "[{\"path\": \"$p/out\", \"targets\": \"$p/targets\"}]" \
        --losses distill_cosine --output $p/trained --dim 2 --batch-size 2 --steps 3
    works "a teacher of other texts" wordllama embed --norm --format npy --output $p/two.npy "a text"
    fails "targets: other rows" 1 "rows" wordllama targets $p/one.npy $p/two.npy -o x
    fails "targets: over a teacher" 2 "is a file that is read" wordllama targets $p/one.npy -o $p/one.npy
    fails "targets: no weight" 2 "expected a number above 0" wordllama targets $p/one.npy:0 -o x
    fails "targets: --whitening alone" 2 "needs --dim" wordllama targets $p/one.npy -o x --whitening 0.3
    fails "prepare: no records" 1 "holds no records" sh -c ': >x.csv; wordllama prepare x.csv -o x.out; s=$?; rm x.csv; exit $s'
    fails "prepare --kept -" 2 "not to standard output" wordllama prepare $p/pairs.jsonl -o x --kept -
    fails "prepare: no OUT" 2 "prepare needs -o OUT" wordllama prepare $p/pairs.jsonl
    fails "prepare: standard output" 2 "not to standard output" wordllama prepare $p/pairs.jsonl -o -
    fails "prepare: over its input" 2 "is a file that is read" wordllama prepare $p/pairs.jsonl -o $p/pairs.jsonl
    fails "prepare: kept is OUT" 2 "written twice" wordllama prepare $p/pairs.jsonl -o x --kept x
    fails "prepare: near without sets" 2 "--near needs --evaluation" wordllama prepare $p/pairs.jsonl -o x --near 0.8
    fails "prepare: near nothing" 2 "expected a number above it" \
        wordllama prepare $p/pairs.jsonl -o x --near 0 --evaluation $p/held.jsonl
    fails "prepare: near without a model" 2 "--near needs a model" wordllama prepare $p/pairs.jsonl -o x --near 0.8 \
        --evaluation $p/held.jsonl --tokenizer "$model/tokenizer.json"
    fails "prepare: no such input" 1 "nowhere.jsonl: cannot open" wordllama prepare nowhere.jsonl -o x
    fails "prepare: no such set" 1 "nowhere" wordllama prepare $p/pairs.jsonl -o x --evaluation nowhere
    fails "prepare: unknown fields" 1 'held.jsonl:1: the record has no anchor' \
        sh -c "sed 's/text/t/g' $p/held.jsonl >$p/unknown_held.jsonl; wordllama prepare $p/unknown_held.jsonl -o x"
    seq 1000 | sed 's/.*/{"anchor": "number &"}/' >$p/numbers.jsonl
    small_outputs() { (ulimit -f 2 && wordllama prepare $p/numbers.jsonl -o $p/full); }
    fails "prepare: files that may not grow" 1 "File too large" small_outputs
    ok "prepare: no OUT then" [ ! -e $p/full ]
    rm -rf ../prepare
else
    skip "prepare: no wordllama-train beside the command"
fi

# ---- train -----------------------------------------------------------------------------------------------------------

if [ -x "$(dirname "$wl")/wordllama-train" ]; then
    mkdir ../train
    t=../train
    printf '{"anchor": "%s", "positive": "%s"}\n' car automobile boat ship train railway apple pear >$t/pairs.jsonl
    printf '{"anchor": "%s", "positive": "%s", "negative": "%s"}\n' "by car" "in a car" "by boat" \
        "an apple" "a pear" "a stone" >$t/more.jsonl
    printf '{"score": %s, "text1": "%s", "text2": "%s"}\n' 5 motorcar "an automobile" 4 boats ships 1 motor apples >$t/dev.jsonl
    train() { wordllama train --codebook "$model" --data $t/pairs.jsonl --dim 64 --batch-size 4 --steps 6 "$@"; }
    models() { (cd "$1" && ls ./*_*.safetensors | cut -c 3- | tr '\n' ' '); }
    works "train" train -o $t/one --plot $t/curves.svg
    ok "train: a line" grep -q '/one/model_64.safetensors: 6 steps in 0:0[0-9], loss [0-9.]*$' ../out
    ok "train: the models" [ "$(models $t/one)" = "model_64.safetensors " ]
    ok "train: a line a step" [ "$(grep -c '^{"step": [1-6], .*"loss": ' $t/one/log.jsonl)" -eq 6 ]
    ok "train --plot" grep -q '^<svg ' $t/curves.svg
    ok "train: the card" grep -q '^| `model_64.safetensors` | 64 | F16 | ' $t/one/README.md
    ok "train: the card names no folder" [ "$(grep -c -F -e "$work" -e '../train' $t/one/README.md)" -eq 0 ]
    works "train: the model" wordllama similarity --model $t/one/model_64.safetensors car automobile
    cp ../out ../similarity
    works "train: the folder of other programs" wordllama similarity --model $t/one/model car automobile
    ok "train: the folder's policy" [ "$(wordllama info $t/one/model | sed -n 's/^policy: *//p')" = model2vec ]
    works "train: without a terminal, one thread" env WORDLLAMA_THREADS=1 wordllama train --codebook "$model" \
        --data $t/pairs.jsonl --dim 64 --batch-size 4 --steps 6 -o $t/two
    for file in model_64.safetensors tokenizer.json model/model.safetensors model/config.json model/modules.json; do
        ok "train: the same bytes: $file" cmp -s $t/one/$file $t/two/$file
    done
    fails "train: over a run" 2 "one holds a run: --resume goes on with it, --force begins anew" train -o $t/one
    works "train --force" train -o $t/one --force
    run train -o $t/one --resume --save-as i8
    ok "train --resume: a finished run" says "going on after step 6 of 6"
    ok "train --save-as i8: the card" grep -q '^| `model_64.safetensors` | 64 | I8, a scale for each row | ' $t/one/README.md
    wordllama info $t/one/model_64.safetensors >../out
    ok "train --save-as i8: its policy" [ "$(sed -n 's/^policy: *//p; s/^dtype: *//p' ../out | tr '\n' ' ')" = "I8 wordllama " ]
    works "train --save-as i8: packed" wordllama convert $t/one/model_64.safetensors $t/packed
    ok "train --save-as i8: the policy when packed" [ "$(wordllama info $t/packed | sed -n 's/^policy: *//p')" = wordllama ]
    works "train --save-as i8: the model" wordllama similarity --model $t/one/model_64.safetensors car automobile
    ok "train --save-as i8: nearly the same" awk 'NR == 1 {a = $1} NR == 2 {exit !(($1 - a)^2 < 0.0001)}' ../similarity ../out
    wordllama similarity --model $t/one/model_64.safetensors car automobile >../one
    works "train: from a table of bytes" wordllama train --codebook $t/one/model_64.safetensors --data $t/pairs.jsonl --kind table \
        --token-weights false --batch-size 4 --steps 1 --learning-rate 1e-9 -o $t/again
    wordllama similarity --model $t/again/model_64.safetensors car automobile >../two
    ok "train: which is taken with its scales" awk 'NR == 1 {a = $1} NR == 2 {exit !(($1 - a)^2 < 0.0001)}' ../one ../two
    works "train: lists added up" train --data $t/more.jsonl --data $t/pairs.jsonl:2 -o $t/three --dim 32 --name other
    ok "train: three sources" [ "$(grep -c -e '^| pairs.jsonl | 1 | 4 ' -e '^| more.jsonl | 1 | 2 ' -e \
        '^| pairs.jsonl | 2 | 4 ' $t/three/README.md)" -eq 3 ]
    ok "train: the last of two" [ "$(models $t/three)" = "other_32.safetensors " ]
    works "train: other dimensions beside them" train -o $t/three --name other --force --matryoshka 64,16
    ok "train: old models stay" [ "$(models $t/three)" = "other_16.safetensors other_32.safetensors other_64.safetensors " ]
    works "train: bits" train -o $t/bits --binarizer ste --evaluation $t/dev.jsonl --evaluation-only "" --evaluate-every 3
    ok "train: bits: the model" [ "$(models $t/bits)" = "model_64_binary.safetensors " ]
    ok "train: bits: the scores" grep -q '^| set | 64 | 64 bits |$' $t/bits/README.md
    ok "train: scores in the log" [ "$(grep -c '"score"' $t/bits/log.jsonl)" -ge 3 ]
    cat >$t/base.json <<END
{ // a comment
  "data": ["pairs.jsonl"], "dim": 64, "batch_size": 4,
}
END
    echo '{"extends": "base.json", "steps": 6, "dim": 32}' >$t/config.json
    works "train CONFIG" wordllama train $t/config.json --codebook "$model" -o $t/four --dim 64
    ok "train CONFIG: the same bytes" cmp -s $t/four/model_64.safetensors $t/two/model_64.safetensors
    works "train: a codebook by its name" env WORDLLAMA_CACHE="${model%/models/*}" wordllama train --codebook \
        "${model##*/}" --data $t/pairs.jsonl --dim 64 --batch-size 4 --steps 6 -o $t/five
    ok "train: by name: the same bytes" cmp -s $t/five/model_64.safetensors $t/two/model_64.safetensors
    run train -o $t/six --resume
    ok "train --resume: nothing there" says "there is no checkpoint to go on from"
    ok "train --resume: it ran" [ -e $t/six/model_64.safetensors ]
    # A run that is interrupted when its first line of the log is there.
    wordllama train --codebook "$model" --data $t/pairs.jsonl --dim 64 --batch-size 4 --steps 20000 -o $t/seven \
        >../out 2>../err &
    interrupted=$!
    while kill -0 $interrupted 2>../kill && ! grep -q '"step": 1,' $t/seven/log.jsonl 2>../kill; do sleep 0.1; done
    kill -TERM $interrupted
    status=0
    wait $interrupted 2>../kill || status=$?
    ok "train: interrupted: status" [ "$status" -eq 143 ]
    ok "train: interrupted: how to go on" grep -q 'interrupted; the same command with --resume goes on' ../err
    ok "train: interrupted: no model" [ ! -e $t/seven/model_64.safetensors ]
    ok "train: interrupted: a checkpoint" [ -s $t/seven/checkpoint.safetensors ]
    fails "train --resume: another run's" 1 '"steps": 20000' train -o $t/seven --resume
    fails "train: nothing given" 2 "needs a CONFIG, or --codebook, --data and --output" wordllama train
    fails "train: no codebook" 2 "codebook is missing" wordllama train --data $t/pairs.jsonl -o x
    fails "train: no data" 2 "data is missing" wordllama train --codebook "$model" -o x
    fails "train: no output" 2 "output is missing" wordllama train --codebook "$model" --data $t/pairs.jsonl
    fails "train: no such codebook" 1 "'nowhere' is neither" wordllama train --codebook nowhere --data a -o x
    fails "train: an unknown flag" 2 "did you mean '--codebook'?" wordllama train --codebok x
    fails "train: a wrong value" 2 "expected linear|cosine|constant" train -o x --schedule square
    fails "train: JSON and more" 2 "put all into one" train --data '["a"]' -o x
    fails "train: no such configuration" 1 "nowhere.json: cannot open" wordllama train nowhere.json
    fails "train: two wishes" 2 "contradict" train -o $t/one --resume --force
    echo '{"steps": 6, "batchsize": 4}' >$t/wrong.json
    fails "train: an unknown key" 1 'wrong.json:1: byte 26: unknown key "batchsize" (did you mean "batch_size"?)' \
        wordllama train $t/wrong.json
    fails "train: no such data" 1 "nowhere.jsonl: cannot open" train --data nowhere.jsonl -o $t/eight
    fails "train: a folder as data" 1 "irectory" train --data $t -o $t/eight
    fails "train: more dimensions than there are" 2 "dimensions" train --matryoshka 100 -o $t/eight
    rm -rf ../train
else
    skip "train (no wordllama-train beside the command)"
fi

# ---- bad inputs ------------------------------------------------------------------------------------------------------

fails "missing input" 1 "nowhere: cannot open: No such file" wordllama embed --input nowhere --output vectors
fails "directory as input" 1 "is a directory" wordllama embed --input .. --output vectors
fails "directory as output" 1 "is a directory" wordllama embed a --output ..
fails "output in no folder" 1 "nowhere/vectors: cannot write" wordllama embed a --output nowhere/vectors
fails "missing model" 1 "wordllama pull l2_supercat_256" wordllama embed a --model nothing --output vectors
fails "missing model path" 1 "nothing" wordllama embed a --model ./nothing --output vectors
fails "missing official model" 1 "wordllama pull l2_supercat_256' fetches it" \
    env WORDLLAMA_CACHE=nowhere wordllama similarity a b --model l2_supercat_256
fails "no home" 1 "WORDLLAMA_CACHE" \
    env -u WORDLLAMA_CACHE -u XDG_CACHE_HOME -u HOME wordllama similarity a b --model l2_supercat_256

# ---- the models that come with it ------------------------------------------------------------------------------------

alone() { # without any other model, cache or home
    env -u WORDLLAMA_MODEL -u WORDLLAMA_CACHE -u XDG_CACHE_HOME -u HOME "$@"
}
ok "the default model" alone wordllama similarity a b >../one
ok "by its name" alone wordllama similarity a b --model default >../two
ok "which is the same" cmp ../one ../two
ok "not a file of that name" sh -c 'mkdir default && env -u WORDLLAMA_MODEL wordllama similarity a b >../two && cmp ../one ../two'
rmdir default
ok "that of 64 bits" alone wordllama similarity a b --model wordllama_64_binary --binary >../two
mkdir -p ../moved/bin ../moved/share/wordllama
cp "$wl" ../moved/bin/wordllama
cp -r "$tests/../models" ../moved/share/wordllama/models
ok "moved with its models" alone ../moved/bin/wordllama similarity a b >../two
ok "which are found first" cmp ../one ../two
rm -r ../moved/share
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
run wordllama topk "$(printf 'a\377')" --input ../many
ok "invalid UTF-8 in a query" says "1 invalid UTF-8 sequence replaced"
run wordllama explain "$(printf 'a\377')" b
ok "invalid UTF-8 in explain" says "1 invalid UTF-8 sequence replaced"
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
    ok "closed pipe, $format: status" [ "$status" -eq 141 ]
    ok "closed pipe, $format: no message" [ ! -s ../err ]
done
{ wordllama filter car <../in 2>../err || echo $? >../status; } | head -n 1 >../out
ok "closed pipe, filter: status" [ "$(cat ../status)" -eq 141 ]
ok "closed pipe, filter: no message" [ ! -s ../err ]
{ (trap '' PIPE && wordllama embed --input ../in 2>../err) || echo $? >../status; } | head -n 1 >../out
ok "closed pipe, SIGPIPE ignored: status" [ "$(cat ../status)" -eq 1 ]
ok "closed pipe, SIGPIPE ignored: message" says "standard output: cannot write: Broken pipe"
if [ -c /dev/full ]; then
    full() { wordllama "$@" >/dev/full; }
    fails "full disk: embed" 1 "standard output: cannot write: No space left on device" full embed
    fails "full disk: npy" 1 "standard output: cannot write: No space left on device" full embed --format npy
    fails "full disk: similarity" 1 "standard output: cannot write: No space left" full similarity a b
    fails "full disk: rank" 1 "standard output: cannot write: No space left" full rank a b
    fails "full disk: filter" 2 "standard output: cannot write: No space left" full filter a a
    fails "full disk: dedup" 1 "standard output: cannot write: No space left" full dedup a
    fails "full disk: cluster" 1 "standard output: cannot write: No space left" full cluster --clusters 1 a
    fails "full disk: plot" 1 "/dev/full: cannot write: No space left" wordllama cluster --clusters 1 a --plot /dev/full
    fails "full disk: explain" 1 "standard output: cannot write: No space left" full explain a a
    fails "full disk: split" 1 "standard output: cannot write: No space left" full split ../held
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
