/* The command line as data: one table of verbs and one of flags make parsing, --help and the manual pages. */
#ifndef WL_CLI_ARGS_H
#define WL_CLI_ARGS_H

#include "base/memory.h"
#include "train/config.h"

#define DEFAULT_MODEL  "default"         /* what comes with wordllama */
#define OFFICIAL_MODEL "l2_supercat_256" /* what pull fetches without a name */

enum format { FORMAT_TEXT, FORMAT_JSONL, FORMAT_NPY };
enum color { COLOR_AUTO, COLOR_ALWAYS, COLOR_NEVER };

/* Of a flag that may be repeated, in order. */
typedef struct cli_list {
    const char **names;
    size_t count;
} cli_list;

/* What the user asked for. Switches, choices and counts are uint32_t and start at 0; texts start at NULL, real numbers
 * at NaN, which no flag can give. */
typedef struct cli_settings {
    char **arguments;      /* main's argv, whole */
    const char **operands; /* what is neither flag nor verb, in order */
    size_t operand_count;
    cli_list inputs, against;
    const char *model, *tokenizer, *output, *plot, *plot_speed, *field, *npy, *delimiter;
    uint32_t policy;    /* wl_policy */
    uint32_t normalize; /* wl_toggle */
    uint32_t format;    /* enum format */
    uint32_t color;     /* enum color */
    uint32_t threads, dim, top;
    uint32_t jsonl, csv, no_header;
    uint32_t binary, hamming, tokens, keep_order, matrix;
    double threshold;
    uint32_t invert, greedy, exact, removed, indices;
    uint32_t clusters, starts, iterations, seed, batch, spherical, summary;
    double tolerance;
    uint32_t spans, zero, target_size, intermediate_size, cleanup_size, window, smoothing_window, polynomial_order;
    uint32_t ids, pieces, offsets, count, special, truncate, pad;
    uint32_t json, force;
    const char *config, *tensor, *file, *revision; /* of checkpoints and codebooks */
    cli_list chosen_tokens;
    uint32_t dtype; /* wl_stored_as */
    uint32_t output_embeddings, allow_padding, align;
    const char *scale;
    uint32_t rank, weighting, remove;
    double sif;
    const char *dims; /* of evaluation */
    cli_list only, evaluation, labels;
    uint32_t compare, samples, markdown;
    const char *kept, *removed_file, *texts_file; /* of preparing texts */
    double near, strength, whitening;
    const char *rotation; /* of targets */
    uint32_t least_tokens, most_tokens, sentences, keep_duplicates, resume;
    uint32_t entries, word_pieces, alphabet, least_count, cased; /* of vocabularies */
    const char *label_field;                                     /* of classifiers */
    uint32_t folds;
    cli_list fields[WL_TRAIN_FIELDS]; /* of training, as config_fields.def has them; the values each was given */
    uint32_t help, man, version;
} cli_settings;

typedef wl_status (*verb_run)(const cli_settings *settings, wl_error *error);

/* The order of the verbs in the table and in the help. */
enum verb_place {
    VERB_EMBED,
    VERB_SIMILARITY,
    VERB_EXPLAIN,
    VERB_RANK,
    VERB_TOPK,
    VERB_FILTER,
    VERB_DEDUP,
    VERB_CLUSTER,
    VERB_SPLIT,
    VERB_TOKENIZE,
    VERB_DETOKENIZE,
    VERB_CONVERT,
    VERB_INFO,
    VERB_PULL,
    VERB_EXTRACT,
    VERB_CONFIGS,
    VERB_CONCAT,
    VERB_CODEBOOK,
    VERB_REDUCE,
    VERB_EVAL,
    VERB_CLASSIFY,
    VERB_PREPARE,
    VERB_VOCAB,
    VERB_TARGETS,
    VERB_AVERAGE,
    VERB_TRAIN,
};

typedef struct cli_verb {
    const char *name;
    const char *operands; /* for the synopsis */
    const char *summary;  /* one line, without a final dot */
    const char *description;
    const char *example; /* shell lines that work as typed */
    size_t least, most;  /* number of operands */
    bool takes_files;    /* the operands are files */
    bool searches;       /* exit status as grep's: 1 where nothing is found, 2 for every failure */
    verb_run run;
} cli_verb;

#define NO_VERB (UINT32_C(1) << 31) /* the flag goes without a verb */

typedef enum flag_kind {
    FLAG_SWITCH, /* stores .number */
    FLAG_TEXT,   /* may be empty unless it is a file */
    FLAG_COUNT,  /* a whole number from .number to .most */
    FLAG_REAL,   /* a decimal number from .low to .high */
    FLAG_CHOICE, /* stores the index of one of the words in .value */
    FLAG_LIST,   /* may be repeated; adds to a cli_list */
    FLAG_FIELD,  /* the same; may be empty */
} flag_kind;

typedef struct cli_flag {
    const char *name;     /* without the dashes */
    char letter;          /* a short form, as in -o; 0: none */
    const char *value;    /* its value's name in the help, or the words "a|b|c" of a choice; NULL for a switch */
    const char *help;     /* NULL: hidden */
    const char *variable; /* environment variable, read where the flag is not given; NULL: none */
    uint32_t verbs;       /* set of bits 1 << verb's place, and NO_VERB */
    flag_kind kind;
    uint32_t number, most;
    double low, high;
    size_t offset; /* of the member in settings */
} cli_flag;

typedef struct cli_variable {
    const char *name, *help;
    uint32_t verbs; /* as for a flag */
} cli_variable;

/* Each ends with an entry without a name. */
extern const cli_verb verb_table[];
extern const cli_flag flag_table[];
extern const cli_variable variable_table[]; /* those that belong to no flag */

bool flag_belongs(const cli_flag *flag, const cli_verb *verb);

/* Fills *settings and *chosen (NULL where no verb was given). Every failure is WL_ERROR_ARGUMENT: a usage error. The
 * strings are those of argv and of the environment. Free with settings_free, also after a failure. */
wl_status parse_arguments(int argc, char **argv, cli_settings *settings, const cli_verb **chosen, wl_error *error);
void settings_free(cli_settings *settings);

/* What a verb that searches returns where it found nothing: an error without a message, since it is no failure. */
wl_status find_nothing(wl_error *error);

const cli_verb *find_verb(const char *name);
/* WL_ERROR_ARGUMENT, with the verb that was probably meant. */
wl_status fail_unknown_verb(const char *name, wl_error *error);

/* Appends the help or the manual page of a verb, or with NULL of the program. */
wl_status write_help(const cli_verb *verb, wl_buffer *out, wl_error *error);
wl_status write_man(const cli_verb *verb, wl_buffer *out, wl_error *error);

#endif
