/* The configuration of a training run. One table of fields (config_fields.def) makes the struct, the keys of the JSON
 * file, the flags of the command line and the defaults. */
#ifndef WL_TRAIN_CONFIG_H
#define WL_TRAIN_CONFIG_H

#include "base/memory.h"

/* ---- values ------------------------------------------------------------------------------------------------------ */

/* Lists; zeroed is empty. */
typedef struct wl_train_texts {
    char **items; /* (count) */
    size_t count, capacity;
} wl_train_texts;

typedef struct wl_train_counts {
    uint32_t *items; /* (count) */
    size_t count, capacity;
} wl_train_counts;

typedef struct wl_train_numbers {
    double *items; /* (count) */
    size_t count, capacity;
} wl_train_numbers;

typedef struct wl_train_data {
    char *path;
    double weight; /* 1 where none is given */
    char *targets; /* teachers' vectors, a row for each text; NULL: none */
} wl_train_data;

typedef struct wl_train_data_list {
    wl_train_data *items; /* (count) */
    size_t count, capacity;
} wl_train_data_list;

enum { WL_MOST_DIMS = 64 }; /* that one run trains */

typedef enum wl_train_loss_kind {
    WL_LOSS_CONTRAST,
    WL_LOSS_SYMMETRIC,
    WL_LOSS_COSENT,
    WL_LOSS_ANGLE,
    WL_LOSS_COSINE,
    WL_LOSS_TRIPLET,
    WL_LOSS_DISTILL_COSINE,
    WL_LOSS_DISTILL_SQUARED,
    WL_LOSS_DISTILL_SIMILARITIES,
    WL_LOSS_DISTILL_DISTRIBUTIONS,
    WL_LOSS_KINDS
} wl_train_loss_kind;

/* What a loss needs of its data, and what of its settings mean something. */
typedef struct wl_train_loss_traits {
    const char *name;
    uint32_t sides;       /* of each record, at least */
    bool scores, targets; /* needed */
    bool scaled, learned; /* it has a scale; which can be learned */
} wl_train_loss_traits;

extern const wl_train_loss_traits wl_train_loss_table[WL_LOSS_KINDS];

typedef struct wl_train_loss {
    uint32_t kind;        /* wl_train_loss_kind */
    double weight;        /* 1 where none is given */
    double scale;         /* of the cosines, 1 / temperature; 20 where none is given */
    bool learn_scale;     /* the scale is where it starts */
    bool dense;           /* it looks at the numbers, also where there is a binarizer, and others look at signs */
    wl_train_counts dims; /* instead of the Matryoshka dimensions; empty: those */
} wl_train_loss;

typedef struct wl_train_losses {
    wl_train_loss *items; /* (count) */
    size_t count, capacity;
} wl_train_losses;

/* ---- fields ------------------------------------------------------------------------------------------------------ */

typedef enum wl_train_field_kind {
    WL_FIELD_TEXT,   /* char *; NULL: none */
    WL_FIELD_PATH,   /* the same; in a file relative to its folder */
    WL_FIELD_COUNT,  /* a whole number */
    WL_FIELD_NUMBER, /* finite */
    WL_FIELD_SWITCH, /* true or false */
    WL_FIELD_CHOICE, /* number of the word in value */
    WL_FIELD_TEXTS,  /* lists */
    WL_FIELD_PATHS,
    WL_FIELD_COUNTS,
    WL_FIELD_NUMBERS,
    WL_FIELD_DATA,
    WL_FIELD_LOSSES,
} wl_train_field_kind;

#define WL_TYPE_TEXT    char *
#define WL_TYPE_PATH    char *
#define WL_TYPE_COUNT   uint64_t
#define WL_TYPE_NUMBER  double
#define WL_TYPE_SWITCH  bool
#define WL_TYPE_CHOICE  uint32_t
#define WL_TYPE_TEXTS   wl_train_texts
#define WL_TYPE_PATHS   wl_train_texts
#define WL_TYPE_COUNTS  wl_train_counts
#define WL_TYPE_NUMBERS wl_train_numbers
#define WL_TYPE_DATA    wl_train_data_list
#define WL_TYPE_LOSSES  wl_train_losses

/* The members are those of config_fields.def, whose help says what they mean. Texts and lists are owned. Their order is
 * that of the help, whatever it costs in padding. */
typedef struct wl_train_config {
#define FIELD(kind, name, flag, start, lowest, highest, value, help) WL_TYPE_##kind name;
#include "train/config_fields.def"
#undef FIELD
} wl_train_config;

/* WL_TRAIN_batch_size ...: the place of each in the table. */
enum wl_train_field_place {
#define FIELD(kind, name, flag, start, lowest, highest, value, help) WL_TRAIN_##name,
#include "train/config_fields.def"
#undef FIELD
    WL_TRAIN_FIELDS
};

typedef struct wl_train_field {
    const char *name, *flag; /* "batch_size", "batch-size" */
    wl_train_field_kind kind;
    const char *start;      /* the default as text; "": none */
    double lowest, highest; /* of numbers */
    const char *value;      /* what it is called; of a choice its words: "a|b" */
    const char *help;
    size_t offset; /* of the member */
} wl_train_field;

extern const wl_train_field wl_train_fields[WL_TRAIN_FIELDS];

/* ---- the whole --------------------------------------------------------------------------------------------------- */

/* All defaults. Free with wl_train_config_free, also after a failure. */
wl_status wl_train_config_default(wl_train_config *config, wl_error *error);
void wl_train_config_free(wl_train_config *config);

/* One field, by its name, from text as a flag has it: "0.1", "true", "cosine"; "" for no text or path; a list with
 * commas between, as "1024,512", "a.safetensors:2,b.safetensors" or "contrast,cosent:0.5", or as JSON, which begins
 * with '['. A list replaces what was there. WL_ERROR_ARGUMENT names field, value and what is expected, or for an
 * unknown name the nearest one. */
wl_status wl_train_config_set(wl_train_config *config, const char *name, const char *value, wl_error *error);

/* The fields of a JSON file with comments and commas behind last elements, over what the config holds. "extends": the
 * path of a file that is read before. Paths are relative to the folder of the file that names them. WL_ERROR_FORMAT,
 * with file, byte and line: a syntax error; an unknown key, with the nearest one; a value of the wrong kind or out of
 * range, with what is expected; a file that extends itself. WL_ERROR_LIMIT: a chain of more than 16 files, or a file
 * larger than 1 MiB. */
wl_status wl_train_config_read(wl_train_config *config, const char *path, wl_error *error);
/* The same from memory, with paths as they stand there and without "extends". name: of the text, for errors. */
wl_status wl_train_config_parse(wl_train_config *config, const char *text, size_t size, const char *name,
                                wl_error *error);
/* Appends the config as JSON, which wl_train_config_parse reads to the same. */
wl_status wl_train_config_write(const wl_train_config *config, wl_buffer *out, wl_error *error);

/* Whether a run can begin: what is needed is there, and fields go together. WL_ERROR_ARGUMENT names the field. */
wl_status wl_train_config_check(const wl_train_config *config, wl_error *error);
/* Fills in what depends on others, of a config that was checked: dim, hidden, matryoshka and its weights, log.
 * codebook_dim: of the codebook. WL_ERROR_ARGUMENT: more dimensions than there are. Again: nothing changes. */
wl_status wl_train_config_finish(wl_train_config *config, uint32_t codebook_dim, wl_error *error);

#endif
