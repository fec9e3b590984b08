"""The interfaces of other libraries. Each module imports its library when it is itself imported, and no other.

    arrow                  embed_array: an Arrow array of strings to a FixedSizeListArray
    chromadb               WordLlamaEmbeddingFunction, which a collection keeps in its configuration
    haystack               WordLlamaTextEmbedder, WordLlamaDocumentEmbedder
    langchain              WordLlamaEmbeddings
    llama_index            WordLlamaEmbedding
    mteb                   encoder: a model to be evaluated
    pandas                 embed_column, and Series.wordllama
    polars                 embed_column: a Series, or an expression, to Array(Float32, dim)
    semhash                Encoder, for SemHash and Vicinity
    sentence_transformers  static_embedding: a module of torch; Encoder: encode() without torch
    sklearn                WordLlamaVectorizer

Wherever one of them takes a model, that is one that is open, or the path or name of one as load() takes it; None is the
default model.
"""
