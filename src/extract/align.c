/* For each token of the target, the first of these that the source has:
 *   1. the same piece with the same text, 2. a token with the same text: a row;
 *   for a special token 1. the same piece, 2. a token for the same purpose: a row;
 *   3. the tokens that the source's tokenizer makes of the text: the mean of their rows;
 *   for text that is not whole characters 3. the tokens of its single bytes.
 * Look-ups are by hash; the texts of step 3 are encoded in one batch. */
#include "extract/align.h"

#include <stdlib.h>
#include <string.h>

#include "base/hash.h"
#include "extract/token_text.h"
#include "format/json.h"
#include "text/unicode/utf8.h"

/* ---- special tokens ---------------------------------------------------------------------------------------------- */

typedef enum role { BEGIN, END, UNKNOWN, PADDING, MASK, CLASS, SEPARATOR, ROLES } role;

/* How special tokens are spelled; of a role, the usual one first. */
static const struct {
    role role;
    const char *piece;
} spellings[] = {
    {BEGIN, "<s>"},
    {BEGIN, "<bos>"},
    {BEGIN, "<|begin_of_text|>"},
    {BEGIN, "<|startoftext|>"},
    {BEGIN, "<|start_of_text|>"},
    {BEGIN, "<\uFF5Cbegin\u2581of\u2581sentence\uFF5C>"},
    {BEGIN, "<BOS_TOKEN>"},
    {BEGIN, "[BOS]"},
    {END, "</s>"},
    {END, "<eos>"},
    {END, "<|end_of_text|>"},
    {END, "<|endoftext|>"},
    {END, "<\uFF5Cend\u2581of\u2581sentence\uFF5C>"},
    {END, "<EOS_TOKEN>"},
    {END, "[EOS]"},
    {UNKNOWN, "<unk>"},
    {UNKNOWN, "[UNK]"},
    {UNKNOWN, "<UNK>"},
    {PADDING, "<pad>"},
    {PADDING, "[PAD]"},
    {PADDING, "<PAD>"},
    {PADDING, "<|finetune_right_pad_id|>"},
    {PADDING, "<|pad|>"},
    {MASK, "<mask>"},
    {MASK, "[MASK]"},
    {CLASS, "[CLS]"},
    {CLASS, "<cls>"},
    {SEPARATOR, "[SEP]"},
    {SEPARATOR, "<sep>"},
};

/* What stands for a role where a tokenizer has no token for it: BERT begins with [CLS] and ends with [SEP]. */
static const role stand_ins[ROLES] = {
    [BEGIN] = CLASS, [END] = SEPARATOR, [UNKNOWN] = UNKNOWN, [PADDING] = PADDING,
    [MASK] = MASK,   [CLASS] = BEGIN,   [SEPARATOR] = END,
};

enum { SPELLINGS = sizeof spellings / sizeof *spellings };

/* ---- texts of the source ----------------------------------------------------------------------------------------- */

typedef struct entry {
    size_t begin, size; /* in bytes; of no use where id is WL_NO_ID */
    uint32_t id;
} entry;

/* Tokens by their text; open addressing, at most half full. */
typedef struct text_table {
    wl_buffer bytes;
    entry *entries;
    size_t mask;
} text_table;

static entry *find_entry(const text_table *table, wl_text text)
{
    for (size_t slot = wl_hash_bytes(text.data, text.size);; slot++) {
        entry *at = &table->entries[slot & table->mask];
        if (at->id == WL_NO_ID) return at;
        if (at->size == text.size && wl_bytes_equal(table->bytes.data + at->begin, text.data, text.size)) return at;
    }
}

typedef struct aligner {
    wl_spelling target, source;
    const wl_codebook *codebook; /* of the source */
    wl_alignment *out;
    text_table table;
    uint32_t roles[ROLES]; /* the source's id, or WL_NO_ID */
    bool adds_space;       /* the source puts a space in front of a text */
    wl_buffer text, other; /* of one token */
    wl_buffer left;        /* texts to encode, one behind the other */
    struct left_text {
        size_t begin, size, anchor; /* in left; bytes at the start that are no part of the text */
        uint32_t target;
    } * left_texts;
    size_t left_count, left_capacity;
    wl_context *context;
    wl_error *error;
} aligner;

/* Adds the texts of the tokens of one kind; a text that is there already keeps its token. */
static wl_status add_texts(aligner *this, wl_token_kind wanted)
{
    text_table *table = &this->table;
    for (uint32_t id = 0; id < this->codebook->rows; id++) {
        size_t begin = table->bytes.size;
        wl_token_kind kind;
        if (wl_token_text(&this->source, id, &table->bytes, &kind, this->error)) return this->error->code;
        wl_text text = {table->bytes.data + begin, table->bytes.size - begin};
        entry *found = kind == wanted && text.size ? find_entry(table, text) : NULL;
        if (found && found->id == WL_NO_ID)
            *found = (entry){begin, text.size, id};
        else
            table->bytes.size = begin;
    }
    return WL_OK;
}

/* Pieces that spell a byte by its number come last: "a" is rather "a" than "<0x61>". */
static wl_status build_table(aligner *this)
{
    size_t slots = 16;
    while (slots < 2 * this->codebook->rows) slots *= 2;
    this->table.entries = wl_allocate(slots, sizeof *this->table.entries, this->error);
    if (!this->table.entries) return WL_ERROR_MEMORY;
    this->table.mask = slots - 1;
    for (size_t i = 0; i < slots; i++) this->table.entries[i].id = WL_NO_ID;
    if (wl_buffer_reserve(&this->table.bytes, 1, this->error)) return this->error->code;
    wl_status status = add_texts(this, WL_TOKEN_TEXT);
    return status ? status : add_texts(this, WL_TOKEN_BYTE);
}

static bool has_row(const aligner *this, wl_text piece, uint32_t *id)
{
    return wl_tokenizer_id(this->source.tokenizer, piece, id) && *id < this->codebook->rows;
}

static void find_roles(aligner *this)
{
    for (size_t i = 0; i < ROLES; i++) this->roles[i] = WL_NO_ID;
    for (size_t i = 0; i < SPELLINGS; i++) {
        uint32_t id, *known = &this->roles[spellings[i].role];
        if (*known == WL_NO_ID && has_row(this, (wl_text){spellings[i].piece, strlen(spellings[i].piece)}, &id))
            *known = id;
    }
}

/* ---- targets ----------------------------------------------------------------------------------------------------- */

/* Row of the source for a special token, or WL_NO_ID. */
static uint32_t find_special(const aligner *this, wl_text piece)
{
    uint32_t id;
    if (has_row(this, piece, &id)) return id;
    for (size_t i = 0; i < SPELLINGS; i++) {
        if (!wl_text_is(piece, spellings[i].piece)) continue;
        role of = spellings[i].role;
        return this->roles[of] != WL_NO_ID ? this->roles[of] : this->roles[stand_ins[of]];
    }
    return WL_NO_ID;
}

/* Row of the source for a token that stands for text, or WL_NO_ID. */
static wl_status find_text(aligner *this, wl_text piece, wl_text text, uint32_t *row)
{
    uint32_t id;
    *row = WL_NO_ID;
    if (has_row(this, piece, &id)) {
        wl_token_kind kind;
        wl_buffer *other = &this->other;
        other->size = 0;
        if (wl_token_text(&this->source, id, other, &kind, this->error)) return this->error->code;
        if (kind != WL_TOKEN_SPECIAL && other->size == text.size && wl_bytes_equal(other->data, text.data, text.size)) {
            *row = id;
            return WL_OK;
        }
    }
    *row = find_entry(&this->table, text)->id;
    return WL_OK;
}

static wl_status add_row(aligner *this, size_t *count, uint32_t row)
{
    void *rows = this->out->rows;
    wl_status status = wl_reserve(&rows, &this->out->row_capacity, *count + 1, sizeof *this->out->rows, this->error);
    this->out->rows = rows;
    if (!status) this->out->rows[(*count)++] = row;
    return status;
}

/* A text to encode. Where the source puts a space in front, one that is there is left out, and where there is none a
 * line break comes first, which no token goes beyond: the tokens behind it are those of a word that goes on. */
static wl_status leave_text(aligner *this, uint32_t target, wl_text text)
{
    bool space = text.size && text.data[0] == ' ';
    size_t anchor = this->adds_space && !space;
    if (this->adds_space && space) text = (wl_text){text.data + 1, text.size - 1};
    void *texts = this->left_texts;
    wl_status status =
        wl_reserve(&texts, &this->left_capacity, this->left_count + 1, sizeof *this->left_texts, this->error);
    this->left_texts = texts;
    if (!status && anchor) status = wl_buffer_append(&this->left, "\n", 1, this->error);
    if (!status) status = wl_buffer_append(&this->left, text.data, text.size, this->error);
    if (status) return status;
    size_t size = text.size + anchor;
    this->left_texts[this->left_count++] = (struct left_text){this->left.size - size, size, anchor, target};
    return WL_OK;
}

/* The tokens of single bytes. */
static wl_status add_bytes(aligner *this, size_t *count, wl_text text)
{
    for (size_t i = 0; i < text.size; i++) {
        uint32_t id = find_entry(&this->table, (wl_text){text.data + i, 1})->id;
        if (id != WL_NO_ID && add_row(this, count, id)) return this->error->code;
    }
    return WL_OK;
}

/* What can be looked up; the rest goes to the texts that are left. starts[target] is where its rows begin. */
static wl_status look_up(aligner *this, uint32_t target, size_t *count)
{
    wl_token_kind kind;
    this->text.size = 0;
    if (wl_token_text(&this->target, target, &this->text, &kind, this->error)) return this->error->code;
    if (kind == WL_TOKEN_NONE || !this->text.size) {
        this->out->missing++;
        return WL_OK;
    }
    wl_text piece = wl_tokenizer_piece(this->target.tokenizer, target), text = {this->text.data, this->text.size};
    uint32_t row = kind == WL_TOKEN_SPECIAL ? find_special(this, piece) : WL_NO_ID;
    if (kind != WL_TOKEN_SPECIAL && find_text(this, piece, text, &row)) return this->error->code;
    if (row != WL_NO_ID) {
        this->out->matched++;
        return add_row(this, count, row);
    }
    if (wl_utf8_valid(text.data, text.size) == text.size) return leave_text(this, target, text);
    size_t before = *count;
    wl_status status = add_bytes(this, count, text);
    *(*count > before ? &this->out->averaged : &this->out->missing) += 1;
    return status;
}

/* ---- encoding ---------------------------------------------------------------------------------------------------- */

/* Tokens of texts, text i at ids[starts[i]..starts[i + 1]). */
typedef struct encoded {
    wl_text *texts;
    uint32_t *ids;
    wl_span *spans;
    size_t *starts;
} encoded;

static void free_encoded(encoded *this)
{
    free(this->texts);
    free(this->ids);
    free(this->spans);
    free(this->starts);
}

static wl_status encode(aligner *this, encoded *out)
{
    wl_error *error = this->error;
    size_t count = this->left_count, room = this->left.size + 4 * count;
    out->texts = wl_allocate(count, sizeof *out->texts, error);
    out->starts = out->texts ? wl_allocate(count + 1, sizeof *out->starts, error) : NULL;
    if (!out->starts) return WL_ERROR_MEMORY;
    for (size_t i = 0; i < count; i++)
        out->texts[i] = (wl_text){this->left.data + this->left_texts[i].begin, this->left_texts[i].size};
    for (;;) {
        out->ids = wl_allocate(room, sizeof *out->ids, error);
        out->spans = out->ids ? wl_allocate(room, sizeof *out->spans, error) : NULL;
        if (!out->spans) return WL_ERROR_MEMORY;
        wl_status status = wl_encode_batch(this->source.tokenizer, this->context, out->texts, count, NULL, out->ids,
                                           out->spans, room, out->starts, error);
        if (status != WL_ERROR_LIMIT || out->starts[count] <= room) return status;
        room = out->starts[count];
        free(out->ids);
        free(out->spans);
        out->ids = NULL;
        out->spans = NULL;
    }
}

/* Rows of a text that was encoded, to rows: the tokens that have one, less those of the anchor and of what is unknown.
 * Returns how many. */
static size_t take_tokens(const aligner *this, const encoded *tokens, size_t text, uint32_t *rows)
{
    size_t count = 0;
    uint32_t unknown = wl_tokenizer_unknown(this->source.tokenizer);
    for (size_t i = tokens->starts[text]; i < tokens->starts[text + 1]; i++) {
        uint32_t id = tokens->ids[i];
        bool in_anchor = this->left_texts[text].anchor && tokens->spans[i].end <= this->left_texts[text].anchor;
        if (!in_anchor && id != unknown && id < this->codebook->rows) rows[count++] = id;
    }
    return count;
}

/* Puts what was encoded between what was looked up: both are in the order of the targets. */
static wl_status merge(aligner *this, const encoded *tokens, size_t targets, size_t count)
{
    wl_alignment *out = this->out;
    size_t most = count + (this->left_count ? tokens->starts[this->left_count] : 0), at = 0, text = 0;
    uint32_t *rows = wl_allocate(most, sizeof *rows, this->error);
    if (!rows) return WL_ERROR_MEMORY;
    for (size_t target = 0; target < targets; target++) {
        size_t begin = out->starts[target], found = out->starts[target + 1] - begin;
        out->starts[target] = at;
        if (found) memcpy(rows + at, out->rows + begin, found * sizeof *rows);
        if (text < this->left_count && this->left_texts[text].target == target) {
            found = take_tokens(this, tokens, text++, rows + at);
            *(found ? &out->averaged : &out->missing) += 1;
        }
        at += found;
    }
    out->starts[targets] = at;
    free(out->rows);
    out->rows = rows;
    out->row_capacity = most;
    return WL_OK;
}

/* Whether the source's tokenizer puts a space in front: of "a" it then makes " a". */
static wl_status find_space(aligner *this)
{
    enum { ROOM = 16 };
    uint32_t id[ROOM];
    size_t count;
    wl_token_kind kind;
    wl_status status =
        wl_encode(this->source.tokenizer, this->context, (wl_text){"a", 1}, NULL, id, NULL, ROOM, &count, this->error);
    if (status) return status;
    this->text.size = 0;
    if (count && wl_token_text(&this->source, id[0], &this->text, &kind, this->error)) return this->error->code;
    this->adds_space = this->text.size && this->text.data[0] == ' ';
    return WL_OK;
}

static wl_status align(aligner *this, size_t targets)
{
    size_t count = 0;
    if (build_table(this) || find_space(this)) return this->error->code;
    find_roles(this);
    for (size_t target = 0; target < targets; target++) {
        this->out->starts[target] = count;
        if (look_up(this, (uint32_t)target, &count)) return this->error->code;
    }
    this->out->starts[targets] = count;
    encoded tokens = {0};
    wl_status status = this->left_count ? encode(this, &tokens) : WL_OK;
    if (!status) status = merge(this, &tokens, targets, count);
    free_encoded(&tokens);
    return status;
}

wl_status wl_align(wl_alignment *alignment, const wl_tokenizer *target, size_t targets, const wl_codebook *source,
                   uint32_t threads, wl_error *error)
{
    *alignment = (wl_alignment){0};
    aligner this = {
        .target = wl_spelling_of(target),
        .source = wl_spelling_of(source->tokenizer),
        .codebook = source,
        .out = alignment,
        .error = error,
    };
    wl_context_options options = {.size = sizeof options, .threads = threads};
    alignment->starts = wl_allocate(targets + 1, sizeof *alignment->starts, error);
    this.context = alignment->starts ? wl_context_create(&options, error) : NULL;
    wl_status status = this.context ? align(&this, targets) : WL_ERROR_MEMORY;
    wl_context_free(this.context);
    free(this.table.entries);
    wl_buffer_free(&this.table.bytes);
    wl_buffer_free(&this.text);
    wl_buffer_free(&this.other);
    wl_buffer_free(&this.left);
    free(this.left_texts);
    return status;
}

void wl_alignment_free(wl_alignment *alignment)
{
    free(alignment->rows);
    free(alignment->starts);
    *alignment = (wl_alignment){0};
}
