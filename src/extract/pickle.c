/* One table says of every opcode what it is called, what follows it and what it does; those that do nothing here are
 * refused by name. Reference: the comments of Python's own pickletools.py, protocols 0 to 5. Cost: one step for each
 * opcode, which makes at most one value; items go from the stack into cells, each once, so that memory is in proportion
 * to the pickle whatever it holds. */
#include "extract/pickle.h"

#include <inttypes.h>
#include <stdlib.h>
#include <string.h>

enum { SIZE_MOST = 64 << 20, VALUES_MOST = 1 << 22, PROTOCOL_MOST = 5 };

#define MARK UINT32_MAX /* on the stack, where no value has that number */

typedef struct machine {
    wl_pickle *pickle;
    const unsigned char *data;
    size_t size, at, opcode; /* at: of the next byte; opcode: of the one that runs */
    uint32_t *stack, *memo;  /* memo: values plus 1; 0: none */
    size_t depth, stack_capacity, memo_count, memo_capacity, memoized;
    const wl_pickle_global *globals;
    size_t global_count;
    const char *file;
    uint64_t place;
    bool stopped;
    wl_error *error;
} machine;

/* What follows an opcode. */
typedef enum form {
    NOTHING = 0,
    UNSIGNED1 = 1, /* bytes */
    UNSIGNED2 = 2,
    UNSIGNED4 = 4,
    UNSIGNED8 = 8,
    SIGNED4,
    TEXT1, /* a length in 1, 4 or 8 bytes, and as many bytes */
    TEXT4,
    TEXT8,
    LINES, /* two, each with its line break */
} form;

typedef struct operand {
    int detail; /* of the table */
    uint64_t number;
    wl_text text, second;
} operand;

#define FAIL(run, code, ...)                                                                                           \
    wl_fail_at((run)->error, code, (run)->file, (run)->place + (run)->opcode, 0, "the pickle " __VA_ARGS__)

/* ---- stack and values -------------------------------------------------------------------------------------------- */

static wl_status push(machine *run, uint32_t value)
{
    void *array = run->stack;
    wl_status status = wl_reserve(&array, &run->stack_capacity, run->depth + 1, sizeof *run->stack, run->error);
    run->stack = array;
    if (!status) run->stack[run->depth++] = value;
    return status;
}

static wl_status push_new(machine *run, wl_pickle_value value)
{
    wl_pickle *pickle = run->pickle;
    if (pickle->value_count == VALUES_MOST) return FAIL(run, WL_ERROR_LIMIT, "holds more than %d values", VALUES_MOST);
    void *array = pickle->values;
    wl_status status = wl_reserve(&array, &pickle->value_capacity, pickle->value_count + 1, sizeof value, run->error);
    pickle->values = array;
    if (status) return status;
    pickle->values[pickle->value_count] = value;
    return push(run, (uint32_t)pickle->value_count++);
}

/* Whether count values lie on top, no mark among them; a failure else. */
static bool has_values(machine *run, size_t count)
{
    for (size_t i = 1; i <= count; i++)
        if (run->depth < i || run->stack[run->depth - i] == MARK) {
            FAIL(run, WL_ERROR_FORMAT, "is damaged: a value is missing on the stack");
            return false;
        }
    return true;
}

/* *begin: the place on the stack behind the last mark. */
static bool find_mark(const machine *run, size_t *begin)
{
    size_t at = run->depth;
    while (at && run->stack[at - 1] != MARK) at--;
    *begin = at;
    if (!at) FAIL(run, WL_ERROR_FORMAT, "is damaged: a mark is missing on the stack");
    return at;
}

/* Appends what lies on the stack from begin on to the items of a value. */
static wl_status add_items(machine *run, uint32_t target, size_t begin)
{
    wl_pickle *pickle = run->pickle;
    wl_pickle_value *value = &pickle->values[target];
    size_t count = run->depth - begin, need = pickle->cell_count + count;
    if (need > UINT32_MAX) return FAIL(run, WL_ERROR_LIMIT, "holds too many items");
    void *array = pickle->cells;
    wl_status status = wl_reserve(&array, &pickle->cell_capacity, need, sizeof *pickle->cells, run->error);
    pickle->cells = array;
    if (status) return status;
    for (size_t i = begin; i < run->depth; i++) {
        uint32_t cell = (uint32_t)pickle->cell_count++;
        pickle->cells[cell] = (wl_pickle_cell){.value = run->stack[i]};
        if (value->last)
            pickle->cells[value->last].next = cell;
        else
            value->first = cell;
        value->last = cell;
    }
    value->count += (uint32_t)count;
    run->depth = begin;
    return WL_OK;
}

/* ---- what opcodes do --------------------------------------------------------------------------------------------- */

static wl_status check_protocol(machine *run, const operand *given)
{
    if (given->number <= PROTOCOL_MOST) return WL_OK;
    return FAIL(run, WL_ERROR_UNSUPPORTED, "has protocol %" PRIu64 ", expected at most %d", given->number,
                PROTOCOL_MOST);
}

/* The length of a frame is for those who read in pieces. */
static wl_status check_frame(machine *run, const operand *given)
{
    if (given->number <= run->size - run->at) return WL_OK;
    return FAIL(run, WL_ERROR_FORMAT, "is damaged: a frame of %" PRIu64 " bytes with %zu left", given->number,
                run->size - run->at);
}

/* detail: the kind */
static wl_status push_empty(machine *run, const operand *given)
{
    return push_new(run, (wl_pickle_value){.kind = (wl_pickle_kind)given->detail});
}

/* detail: the number */
static wl_status push_constant(machine *run, const operand *given)
{
    return push_new(run, (wl_pickle_value){.kind = WL_PICKLE_INTEGER, .integer = given->detail});
}

static wl_status push_number(machine *run, const operand *given)
{
    return push_new(run, (wl_pickle_value){.kind = WL_PICKLE_INTEGER, .integer = (int64_t)given->number});
}

/* Little-endian, two's complement, as long as it needs to be; 0 may have no bytes. */
static wl_status push_long(machine *run, const operand *given)
{
    if (given->text.size > 8) return push_new(run, (wl_pickle_value){.kind = WL_PICKLE_OTHER});
    uint64_t number = 0;
    for (size_t i = 0; i < given->text.size; i++) number |= (uint64_t)(unsigned char)given->text.data[i] << (8 * i);
    bool negative = given->text.size && (given->text.data[given->text.size - 1] & 0x80);
    if (negative && given->text.size < 8) number |= UINT64_MAX << (8 * given->text.size);
    return push_new(run, (wl_pickle_value){.kind = WL_PICKLE_INTEGER, .integer = (int64_t)number});
}

static wl_status push_text(machine *run, const operand *given)
{
    return push_new(run, (wl_pickle_value){.kind = WL_PICKLE_TEXT, .text = given->text});
}

static wl_status push_mark(machine *run, const operand *given)
{
    (void)given;
    return push(run, MARK);
}

static wl_status drop(machine *run, const operand *given)
{
    (void)given;
    if (!run->depth) return FAIL(run, WL_ERROR_FORMAT, "is damaged: a value is missing on the stack");
    run->depth--;
    return WL_OK;
}

static wl_status drop_marked(machine *run, const operand *given)
{
    (void)given;
    size_t begin;
    if (!find_mark(run, &begin)) return run->error->code;
    run->depth = begin - 1;
    return WL_OK;
}

/* A container of what lies from begin on. below: how many places of the stack in front of begin go, too. */
static wl_status collect(machine *run, wl_pickle_kind kind, size_t begin, size_t below)
{
    if (kind == WL_PICKLE_DICT && (run->depth - begin) % 2)
        return FAIL(run, WL_ERROR_FORMAT, "is damaged: a key without a value");
    if (push_new(run, (wl_pickle_value){.kind = kind})) return run->error->code;
    uint32_t value = run->stack[--run->depth];
    if (add_items(run, value, begin)) return run->error->code;
    run->depth = begin - below;
    return push(run, value);
}

/* detail: the kind */
static wl_status collect_marked(machine *run, const operand *given)
{
    size_t begin;
    if (!find_mark(run, &begin)) return run->error->code;
    return collect(run, (wl_pickle_kind)given->detail, begin, 1);
}

/* detail: how many */
static wl_status collect_tuple(machine *run, const operand *given)
{
    size_t count = (size_t)given->detail;
    if (!has_values(run, count)) return run->error->code;
    return collect(run, WL_PICKLE_TUPLE, run->depth - count, 0);
}

/* Adds what lies from begin on to the container below it, in front of `below` more places. A call counts as a dict: of
 * the globals that a table may hold only those that make one get items. */
static wl_status add_to(machine *run, wl_pickle_kind kind, size_t begin, size_t below)
{
    uint32_t target = begin > below ? run->stack[begin - below - 1] : MARK;
    wl_pickle_kind found = target == MARK ? WL_PICKLE_OTHER : run->pickle->values[target].kind;
    if (found != kind && !(kind == WL_PICKLE_DICT && found == WL_PICKLE_CALL))
        return FAIL(run, WL_ERROR_FORMAT, "is damaged: items for what is no container of them");
    if (kind == WL_PICKLE_DICT && (run->depth - begin) % 2)
        return FAIL(run, WL_ERROR_FORMAT, "is damaged: a key without a value");
    if (add_items(run, target, begin)) return run->error->code;
    run->depth = begin - below;
    return WL_OK;
}

/* detail: the kind; of a list one, of a dict two values */
static wl_status add_top(machine *run, const operand *given)
{
    wl_pickle_kind kind = (wl_pickle_kind)given->detail;
    size_t count = kind == WL_PICKLE_DICT ? 2 : 1;
    if (!has_values(run, count)) return run->error->code;
    return add_to(run, kind, run->depth - count, 0);
}

/* detail: the kind */
static wl_status add_marked(machine *run, const operand *given)
{
    size_t begin;
    if (!find_mark(run, &begin)) return run->error->code;
    return add_to(run, (wl_pickle_kind)given->detail, begin, 1);
}

static wl_status get(machine *run, const operand *given)
{
    uint32_t value = given->number < run->memo_count ? run->memo[given->number] : 0;
    if (!value) return FAIL(run, WL_ERROR_FORMAT, "is damaged: value %" PRIu64 " was never stored", given->number);
    return push(run, value - 1);
}

/* Numbers are given one after the other, and each takes two bytes at least. */
static wl_status store(machine *run, uint64_t number)
{
    if (!has_values(run, 1)) return run->error->code;
    if (number > run->opcode)
        return FAIL(run, WL_ERROR_FORMAT, "is damaged: it stores value %" PRIu64 " after %zu bytes", number,
                    run->opcode);
    if (number >= run->memo_count) {
        void *array = run->memo;
        wl_status status = wl_reserve(&array, &run->memo_capacity, (size_t)number + 1, sizeof *run->memo, run->error);
        run->memo = array;
        if (status) return status;
        while (run->memo_count <= number) run->memo[run->memo_count++] = 0;
    }
    run->memoized += !run->memo[number];
    run->memo[number] = run->stack[run->depth - 1] + 1;
    return WL_OK;
}

static wl_status put(machine *run, const operand *given)
{
    return store(run, given->number);
}

static wl_status memoize(machine *run, const operand *given)
{
    (void)given;
    return store(run, run->memoized);
}

static wl_status push_global_of(machine *run, wl_text module, wl_text name)
{
    for (size_t i = 0; i < run->global_count; i++) {
        const wl_pickle_global *global = &run->globals[i];
        if (strlen(global->module) == module.size && memcmp(global->module, module.data, module.size) == 0 &&
            strlen(global->name) == name.size && memcmp(global->name, name.data, name.size) == 0)
            return push_new(run, (wl_pickle_value){.kind = WL_PICKLE_GLOBAL, .meaning = global->meaning});
    }
    return FAIL(run, WL_ERROR_UNSUPPORTED, "asks for %.*s.%.*s, which is code: only tensors are read",
                (int)(module.size < 100 ? module.size : 100), module.data, (int)(name.size < 100 ? name.size : 100),
                name.data);
}

static wl_status push_global(machine *run, const operand *given)
{
    return push_global_of(run, given->text, given->second);
}

static wl_status push_stacked_global(machine *run, const operand *given)
{
    (void)given;
    if (!has_values(run, 2)) return run->error->code;
    const wl_pickle_value *name = &run->pickle->values[run->stack[--run->depth]];
    const wl_pickle_value *module = &run->pickle->values[run->stack[--run->depth]];
    if (name->kind != WL_PICKLE_TEXT || module->kind != WL_PICKLE_TEXT)
        return FAIL(run, WL_ERROR_FORMAT, "is damaged: a global whose name is no text");
    return push_global_of(run, module->text, name->text);
}

static wl_status call(machine *run, const operand *given)
{
    (void)given;
    if (!has_values(run, 2)) return run->error->code;
    uint32_t arguments = run->stack[--run->depth];
    wl_pickle_value function = run->pickle->values[run->stack[--run->depth]];
    if (function.kind != WL_PICKLE_GLOBAL || run->pickle->values[arguments].kind != WL_PICKLE_TUPLE)
        return FAIL(run, WL_ERROR_UNSUPPORTED, "calls what is no function of PyTorch: only tensors are read");
    wl_pickle_value made = {.kind = WL_PICKLE_CALL, .meaning = function.meaning, .arguments = arguments};
    return push_new(run, made);
}

/* The attributes of an object: none of those that a table may make has any that matter here. */
static wl_status drop_state(machine *run, const operand *given)
{
    (void)given;
    if (!has_values(run, 2)) return run->error->code;
    run->depth--;
    if (run->pickle->values[run->stack[run->depth - 1]].kind == WL_PICKLE_CALL) return WL_OK;
    return FAIL(run, WL_ERROR_FORMAT, "is damaged: attributes for what is no object");
}

static wl_status push_persistent(machine *run, const operand *given)
{
    (void)given;
    if (!has_values(run, 1)) return run->error->code;
    uint32_t name = run->stack[--run->depth];
    return push_new(run, (wl_pickle_value){.kind = WL_PICKLE_PERSISTENT, .arguments = name});
}

static wl_status stop(machine *run, const operand *given)
{
    (void)given;
    if (!has_values(run, 1)) return run->error->code;
    run->pickle->root = run->stack[run->depth - 1];
    run->stopped = true;
    return WL_OK;
}

/* ---- the table --------------------------------------------------------------------------------------------------- */

/* run NULL: refused. */
static const struct opcode {
    const char *name;
    wl_status (*run)(machine *run, const operand *given);
    form follows;
    int detail;
} opcodes[256] = {
    /* Protocol 0 and 1. Numbers as text are not among what tensors need. */
    ['('] = {"MARK", push_mark, NOTHING, 0},
    ['.'] = {"STOP", stop, NOTHING, 0},
    ['0'] = {"POP", drop, NOTHING, 0},
    ['1'] = {"POP_MARK", drop_marked, NOTHING, 0},
    ['2'] = {"DUP", NULL, NOTHING, 0},
    ['F'] = {"FLOAT", NULL, NOTHING, 0},
    ['I'] = {"INT", NULL, NOTHING, 0},
    ['J'] = {"BININT", push_number, SIGNED4, 0},
    ['K'] = {"BININT1", push_number, UNSIGNED1, 0},
    ['L'] = {"LONG", NULL, NOTHING, 0},
    ['M'] = {"BININT2", push_number, UNSIGNED2, 0},
    ['N'] = {"NONE", push_empty, NOTHING, WL_PICKLE_OTHER},
    ['P'] = {"PERSID", NULL, NOTHING, 0},
    ['Q'] = {"BINPERSID", push_persistent, NOTHING, 0},
    ['R'] = {"REDUCE", call, NOTHING, 0},
    ['S'] = {"STRING", NULL, NOTHING, 0},
    ['T'] = {"BINSTRING", push_text, TEXT4, 0},
    ['U'] = {"SHORT_BINSTRING", push_text, TEXT1, 0},
    ['V'] = {"UNICODE", NULL, NOTHING, 0},
    ['X'] = {"BINUNICODE", push_text, TEXT4, 0},
    ['a'] = {"APPEND", add_top, NOTHING, WL_PICKLE_LIST},
    ['b'] = {"BUILD", drop_state, NOTHING, 0},
    ['c'] = {"GLOBAL", push_global, LINES, 0},
    ['d'] = {"DICT", collect_marked, NOTHING, WL_PICKLE_DICT},
    ['}'] = {"EMPTY_DICT", push_empty, NOTHING, WL_PICKLE_DICT},
    ['e'] = {"APPENDS", add_marked, NOTHING, WL_PICKLE_LIST},
    ['g'] = {"GET", NULL, NOTHING, 0},
    ['h'] = {"BINGET", get, UNSIGNED1, 0},
    ['i'] = {"INST", NULL, NOTHING, 0},
    ['j'] = {"LONG_BINGET", get, UNSIGNED4, 0},
    ['l'] = {"LIST", collect_marked, NOTHING, WL_PICKLE_LIST},
    [']'] = {"EMPTY_LIST", push_empty, NOTHING, WL_PICKLE_LIST},
    ['o'] = {"OBJ", NULL, NOTHING, 0},
    ['p'] = {"PUT", NULL, NOTHING, 0},
    ['q'] = {"BINPUT", put, UNSIGNED1, 0},
    ['r'] = {"LONG_BINPUT", put, UNSIGNED4, 0},
    ['s'] = {"SETITEM", add_top, NOTHING, WL_PICKLE_DICT},
    ['t'] = {"TUPLE", collect_marked, NOTHING, WL_PICKLE_TUPLE},
    [')'] = {"EMPTY_TUPLE", push_empty, NOTHING, WL_PICKLE_TUPLE},
    ['u'] = {"SETITEMS", add_marked, NOTHING, WL_PICKLE_DICT},
    ['G'] = {"BINFLOAT", push_empty, UNSIGNED8, WL_PICKLE_OTHER},
    /* Protocol 2 */
    [0x80] = {"PROTO", check_protocol, UNSIGNED1, 0},
    [0x81] = {"NEWOBJ", NULL, NOTHING, 0},
    [0x82] = {"EXT1", NULL, NOTHING, 0},
    [0x83] = {"EXT2", NULL, NOTHING, 0},
    [0x84] = {"EXT4", NULL, NOTHING, 0},
    [0x85] = {"TUPLE1", collect_tuple, NOTHING, 1},
    [0x86] = {"TUPLE2", collect_tuple, NOTHING, 2},
    [0x87] = {"TUPLE3", collect_tuple, NOTHING, 3},
    [0x88] = {"NEWTRUE", push_constant, NOTHING, 1},
    [0x89] = {"NEWFALSE", push_constant, NOTHING, 0},
    [0x8A] = {"LONG1", push_long, TEXT1, 0},
    [0x8B] = {"LONG4", NULL, TEXT4, 0},
    /* Protocol 3 */
    ['B'] = {"BINBYTES", push_empty, TEXT4, WL_PICKLE_OTHER},
    ['C'] = {"SHORT_BINBYTES", push_empty, TEXT1, WL_PICKLE_OTHER},
    /* Protocol 4 */
    [0x8C] = {"SHORT_BINUNICODE", push_text, TEXT1, 0},
    [0x8D] = {"BINUNICODE8", push_text, TEXT8, 0},
    [0x8E] = {"BINBYTES8", push_empty, TEXT8, WL_PICKLE_OTHER},
    [0x8F] = {"EMPTY_SET", push_empty, NOTHING, WL_PICKLE_SET},
    [0x90] = {"ADDITEMS", add_marked, NOTHING, WL_PICKLE_SET},
    [0x91] = {"FROZENSET", collect_marked, NOTHING, WL_PICKLE_SET},
    [0x92] = {"NEWOBJ_EX", NULL, NOTHING, 0},
    [0x93] = {"STACK_GLOBAL", push_stacked_global, NOTHING, 0},
    [0x94] = {"MEMOIZE", memoize, NOTHING, 0},
    [0x95] = {"FRAME", check_frame, UNSIGNED8, 0},
    /* Protocol 5 */
    [0x96] = {"BYTEARRAY8", push_empty, TEXT8, WL_PICKLE_OTHER},
    [0x97] = {"NEXT_BUFFER", NULL, NOTHING, 0},
    [0x98] = {"READONLY_BUFFER", NULL, NOTHING, 0},
};

/* ---- the machine ------------------------------------------------------------------------------------------------- */

/* Whether size bytes are left; a failure else. */
static bool has_bytes(machine *run, uint64_t size)
{
    if (size <= run->size - run->at) return true;
    FAIL(run, WL_ERROR_FORMAT, "is cut: it ends at its byte %zu, in the opcode %s", run->size,
         opcodes[run->data[run->opcode]].name);
    return false;
}

/* A little-endian number of size bytes. */
static bool read_number(machine *run, size_t size, uint64_t *number)
{
    *number = 0;
    if (!has_bytes(run, size)) return false;
    for (size_t i = 0; i < size; i++) *number |= (uint64_t)run->data[run->at + i] << (8 * i);
    run->at += size;
    return true;
}

static bool read_text(machine *run, size_t length_size, wl_text *text)
{
    uint64_t length;
    if (!read_number(run, length_size, &length) || !has_bytes(run, length)) return false;
    *text = (wl_text){(const char *)run->data + run->at, (size_t)length};
    run->at += (size_t)length;
    return true;
}

static bool read_line(machine *run, wl_text *line)
{
    const unsigned char *begin = run->data + run->at, *end = memchr(begin, '\n', run->size - run->at);
    if (!end) return has_bytes(run, UINT64_MAX);
    *line = (wl_text){(const char *)begin, (size_t)(end - begin)};
    run->at += line->size + 1;
    return true;
}

static bool read_operand(machine *run, form follows, operand *given)
{
    switch (follows) {
    case UNSIGNED1:
    case UNSIGNED2:
    case UNSIGNED4:
    case UNSIGNED8:
        return read_number(run, (size_t)follows, &given->number);
    case SIGNED4:
        if (!read_number(run, 4, &given->number)) return false;
        if (given->number & 0x80000000) given->number |= UINT64_MAX << 32;
        return true;
    case TEXT1:
        return read_text(run, 1, &given->text);
    case TEXT4:
        return read_text(run, 4, &given->text);
    case TEXT8:
        return read_text(run, 8, &given->text);
    case LINES:
        return read_line(run, &given->text) && read_line(run, &given->second);
    default:
        return true;
    }
}

static wl_status run_opcode(machine *run)
{
    run->opcode = run->at;
    if (run->at == run->size)
        return FAIL(run, WL_ERROR_FORMAT, "is cut: it ends at its byte %zu without the opcode STOP", run->size);
    unsigned char byte = run->data[run->at++];
    const struct opcode *opcode = &opcodes[byte];
    if (!opcode->name) return FAIL(run, WL_ERROR_FORMAT, "is damaged: 0x%02X is no opcode", byte);
    if (!opcode->run)
        return FAIL(run, WL_ERROR_UNSUPPORTED, "uses the opcode %s, which tensors do not need: it is not obeyed",
                    opcode->name);
    operand given = {.detail = opcode->detail};
    if (!read_operand(run, opcode->follows, &given)) return run->error->code;
    return opcode->run(run, &given);
}

wl_status wl_pickle_read(wl_pickle *pickle, const char *data, size_t size, const wl_pickle_global *globals,
                         size_t global_count, const char *file, uint64_t place, wl_error *error)
{
    *pickle = (wl_pickle){.cell_count = 1};
    machine run = {.pickle = pickle,
                   .data = (const unsigned char *)data,
                   .size = size,
                   .globals = globals,
                   .global_count = global_count,
                   .file = file,
                   .place = place,
                   .error = error};
    wl_status status = WL_OK;
    if (size > SIZE_MOST) status = FAIL(&run, WL_ERROR_LIMIT, "has %zu bytes, expected at most %d", size, SIZE_MOST);
    while (!status && !run.stopped) status = run_opcode(&run);
    free(run.stack);
    free(run.memo);
    if (status) wl_pickle_free(pickle);
    return status;
}

void wl_pickle_free(wl_pickle *pickle)
{
    free(pickle->values);
    free(pickle->cells);
    *pickle = (wl_pickle){0};
}

bool wl_pickle_items(const wl_pickle *pickle, const wl_pickle_value *value, size_t most, const wl_pickle_value **items)
{
    if (value->count < most) return false;
    for (uint32_t cell = value->first, i = 0; i < most; i++, cell = pickle->cells[cell].next)
        items[i] = &pickle->values[pickle->cells[cell].value];
    return true;
}
