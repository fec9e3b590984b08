/* Evaluation sets: found in folders and files, read into memory with their texts in the order in which they are
 * embedded. */
#ifndef WL_DATA_SETS_H
#define WL_DATA_SETS_H

#include "base/memory.h"
#include "wordllama_train.h"

/* A document that a query wants, or (grade 0 or less) was judged not to. */
typedef struct wl_judgement {
    uint32_t query, document; /* numbers of them; document WL_NO_DOCUMENT: the corpus does not hold it */
    double grade;
} wl_judgement;

#define WL_NO_DOCUMENT UINT32_MAX

/* items is what the score is taken over. The texts, by task:
 *   SIMILARITY, PAIR   2 * items: both of each pair; numbers: (items), scores, or labels 0 and 1
 *   TRIPLET            3 * items: anchor, positive, negative of each
 *   CLASSIFICATION     train texts, then test texts; labels of all: below label_count; items: the test texts, or all
 *                      train texts where there are none (cross-validation)
 *   CLUSTERING         items; labels
 *   RETRIEVAL          documents (title and text with a space between), then queries; items: the queries; judgements by
 *                      ascending query, and every query has one above 0 */
typedef struct wl_set {
    wl_task task;
    char *group, *name; /* "sts", "sts12" */
    char *path;         /* of the file, or for RETRIEVAL of the folder */
    char *part;         /* the value of the field "split" that all its records have; NULL: the file has none, or goes
                         * with a test file */
    wl_text *texts;     /* they lie in bytes */
    size_t text_count;
    size_t items;
    double *numbers;
    uint32_t *labels;
    wl_text *label_names; /* (label_count), ascending as byte strings */
    uint32_t label_count;
    size_t train_count;    /* CLASSIFICATION */
    size_t document_count; /* RETRIEVAL */
    wl_text *titles;       /* RETRIEVAL: (document_count), and the text alone is in bodies: for who looks for texts */
    wl_text *bodies;       /* (document_count); both lie in the documents' texts */
    wl_judgement *judgements;
    size_t judgement_count;
    char *bytes; /* what the texts and labels lie in */
} wl_set;

struct wl_sets {
    wl_set *sets; /* groups in the order of their table, sets by name */
    size_t count, capacity;
};

#endif
