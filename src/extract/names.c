#include "extract/names.h"

#include <stdio.h>
#include <string.h>

/* In the order in which they count: where a model has several, the table that all parts share comes first. */
static const char *const inputs[] = {
    "model.embed_tokens.weight",                /* Llama, Mistral, Mixtral, Gemma, Qwen, Phi-3, DeepSeek, gpt-oss */
    "language_model.model.embed_tokens.weight", /* the same in a model that also sees */
    "model.language_model.embed_tokens.weight", /* as later releases of transformers name it */
    "transformer.wte.weight",                   /* GPT-2, DBRX, Qwen 1 */
    "tok_embeddings.weight",                    /* Meta's and Mistral's own checkpoints */
    "model.tok_embeddings.weight",              /* InternLM 2 */
    "token_embd.weight",                        /* GGUF */
    "shared.weight",                            /* T5 */
    "model.shared.weight",                      /* BART */
    "embeddings.word_embeddings.weight",        /* BERT and relatives */
    "bert.embeddings.word_embeddings.weight",
    "roberta.embeddings.word_embeddings.weight",
    "deberta.embeddings.word_embeddings.weight",
    "electra.embeddings.word_embeddings.weight",
    "distilbert.embeddings.word_embeddings.weight",
    "albert.embeddings.word_embeddings.weight",
    "camembert.embeddings.word_embeddings.weight",
    "model.embeddings.tok_embeddings.weight", /* ModernBERT */
    "embeddings.tok_embeddings.weight",
    "transformer.token_embeddings.weight",          /* OpenELM */
    "gpt_neox.embed_in.weight",                     /* GPT-NeoX, Pythia */
    "transformer.word_embeddings.weight",           /* Falcon, Bloom */
    "transformer.embedding.word_embeddings.weight", /* ChatGLM */
    "model.decoder.embed_tokens.weight",            /* OPT */
    "backbone.embeddings.weight",                   /* Mamba */
    "backbone.embedding.weight",
    "rwkv.embeddings.weight",
    "embed_tokens.weight", /* any of these without its frame */
    "wte.weight",
    "word_embeddings.weight",
    "word_embedding.weight", /* XLNet */
    "token_embeddings.weight",
    "embed_in.weight",
    "emb.weight",
    "embedding.weight", /* WordLlama, StaticEmbedding, and what extraction writes */
    "embeddings",       /* Model2Vec */
    NULL,
};

static const char *const outputs[] = {
    "lm_head.weight",
    "language_model.lm_head.weight",
    "output.weight",                   /* Meta, Mistral, GGUF */
    "embed_out.weight",                /* GPT-NeoX */
    "transformer.output_layer.weight", /* ChatGLM */
    "transformer.lm_head.weight",
    "cls.predictions.decoder.weight", /* BERT */
    "lm_head.decoder.weight",         /* RoBERTa */
    "decoder.weight",                 /* ModernBERT */
    "head.weight",                    /* RWKV */
    NULL,
};

/* Whether a name is a known one behind a frame of its own, "audio.model.embed_tokens.weight". */
static bool ends_in(const char *name, const char *known)
{
    size_t length = strlen(name), tail = strlen(known);
    return length > tail && name[length - tail - 1] == '.' && strcmp(name + length - tail, known) == 0;
}

static wl_status fail_several(const char *const *names, size_t first, size_t second, const char *where, wl_error *error)
{
    return wl_fail_at(error, WL_ERROR_NOT_FOUND, where, WL_NO_POSITION, 0,
                      "several tensors could be the table, \"%.120s\" and \"%.120s\" among them: name the one that is "
                      "meant (--tensor)",
                      names[first], names[second]);
}

static wl_status fail_none(const char *const *names, size_t count, bool output, const char *where, wl_error *error)
{
    char shown[300] = "";
    size_t used = 0;
    for (size_t i = 0; i < count && used < 220; i++)
        used += (size_t)snprintf(shown + used, sizeof shown - used, "%s%.60s", i ? ", " : "", names[i]);
    if (output)
        return wl_fail_at(
            error, WL_ERROR_NOT_FOUND, where, WL_NO_POSITION, 0,
            "no output head among %zu tensors: many models use the input embedding for it, too (else name "
            "it with --tensor)",
            count);
    return wl_fail_at(error, WL_ERROR_NOT_FOUND, where, WL_NO_POSITION, 0,
                      "no token embeddings by a known name among %zu tensors (%s%s): name the one that is meant "
                      "(--tensor)",
                      count, shown, used < 220 ? "" : ", ...");
}

/* Cost: names times known names; comparisons end at the first byte for most. */
wl_status wl_find_embedding(const char *const *names, size_t count, bool output, const char *where, size_t *place,
                            wl_error *error)
{
    const char *const *known = output ? outputs : inputs;
    for (size_t i = 0; known[i]; i++)
        for (size_t j = 0; j < count; j++)
            if (strcmp(names[j], known[i]) == 0) {
                *place = j;
                return WL_OK;
            }
    for (size_t i = 0; known[i]; i++) {
        size_t found = count;
        for (size_t j = 0; j < count; j++) {
            if (!ends_in(names[j], known[i])) continue;
            if (found < count) return fail_several(names, found, j, where, error);
            found = j;
        }
        if (found < count) {
            *place = found;
            return WL_OK;
        }
    }
    return fail_none(names, count, output, where, error);
}
