/* The verbs: change them here and nowhere else. */
#include "args.h"
#include "commands.h"

/* In the order of enum verb_place. */
const cli_verb verb_table[] = {
    {
        .name = "embed",
        .operands = "[TEXT...]",
        .summary = "turn texts into vectors",
        .description =
            "Writes one vector for each text, in the order of the texts: the arguments, or the lines of the files "
            "named with --input, or the lines of standard input. Files may be compressed with gzip. An empty line is "
            "a text too and gives the zero vector. Memory does not grow with the number of texts. An output file "
            "appears under its name only when it is complete.",
        .example = "wordllama embed --norm --format jsonl \"I went to the car\" \"I went to the park\"",
        .most = SIZE_MAX,
        .run = cmd_embed,
    },
    {
        .name = "similarity",
        .operands = "A B, or --matrix [TEXT...]",
        .summary = "compare two texts, or each of many with each",
        .description =
            "Prints the cosine of the vectors of two texts, from -1 to 1. With --binary it is the cosine of the "
            "vectors' signs: 1 - 2d/D, where d of D bits differ. With --matrix it prints a line for each text that "
            "holds its similarities to all texts, in the order of the input, with tabs between them.",
        .example = "wordllama similarity \"I went to the car\" \"I went to the park\"",
        .most = SIZE_MAX,
        .run = cmd_similarity,
    },
    {
        .name = "explain",
        .operands = "A B",
        .summary = "show which tokens make two texts similar",
        .description =
            "The vector of a text is the mean of its tokens' rows, so the cosine of two texts is a sum with one part "
            "for each token of either one. Prints the cosine, then the tokens of both texts, each with its part. On a "
            "terminal the texts are coloured instead: the stronger the blue, the more a token adds; orange takes "
            "away. NO_COLOR or --color never ask for the table there, too.",
        .example = "wordllama explain \"I went to the car\" \"I went to the sedan\"",
        .least = 2,
        .most = 2,
        .run = cmd_explain,
    },
    {
        .name = "rank",
        .operands = "QUERY [TEXT...]",
        .summary = "sort texts by their similarity to a query",
        .description =
            "Prints a line \"score<TAB>text\" for each text, the most similar first; equal scores keep the order of "
            "the input. In a line a text's line breaks and tabs are spaces. The texts are the arguments behind the "
            "query, or the lines of the files named with --input, "
            "or the lines of standard input.",
        .example = "printf 'by car\\nby boat\\nin the park\\n' | wordllama rank --top 2 \"I went to the car\"",
        .least = 1,
        .most = SIZE_MAX,
        .run = cmd_rank,
    },
    {
        .name = "topk",
        .operands = "QUERY [TEXT...]",
        .summary = "print the texts most similar to a query",
        .description =
            "Prints a line \"score<TAB>text\" for each of the --top most similar texts, the best first; equal scores "
            "keep the order of the input. In a line a text's line breaks and tabs are spaces. Only the best texts so "
            "far are kept in memory, so the input may be of any "
            "length. The texts are the arguments behind the query, or the lines of the files named with --input, or "
            "the lines of standard input.",
        .example = "printf 'by car\\nby boat\\nin the park\\n' | wordllama topk --top 1 \"I went to the car\"",
        .least = 1,
        .most = SIZE_MAX,
        .searches = true,
        .run = cmd_topk,
    },
    {
        .name = "filter",
        .operands = "QUERY [TEXT...]",
        .summary = "print the texts that are similar to a query",
        .description =
            "Prints the texts whose similarity to the query is above --threshold, in the order of the input, as they "
            "are read; with --invert the others. With --jsonl and --csv it prints the whole lines that hold them, CSV "
            "with its header. The "
            "texts are the arguments behind the query, or the lines of the files named with --input, or the lines of "
            "standard input.",
        .example = "printf 'by car\\nby boat\\nin the park\\n' | wordllama filter \"I went to the car\"",
        .least = 1,
        .most = SIZE_MAX,
        .searches = true,
        .run = cmd_filter,
    },
    {
        .name = "dedup",
        .operands = "[TEXT...]",
        .summary = "drop texts that repeat an earlier one",
        .description =
            "Prints the texts that repeat no earlier one, in the order of the input: those equal byte for byte go "
            "first, then those whose similarity to an earlier text is above --threshold. With --jsonl and --csv it "
            "prints the whole lines that hold them, CSV with its header. The texts are the arguments, or the lines of "
            "the files named with --input, or the lines of standard input. All texts and their vectors are kept in "
            "memory: about 1 KB a text with 256 dimensions, 32 bytes with --binary.",
        .example = "wordllama dedup \"I went to the car\" \"I went to the car.\" \"I went to the park\"",
        .most = SIZE_MAX,
        .run = cmd_dedup,
    },
    {
        .name = "cluster",
        .operands = "[TEXT...]",
        .summary = "group texts by their meaning",
        .description =
            "Sorts texts into --clusters clusters by k-means on their vectors of unit length and prints a line "
            "\"cluster<TAB>text\" for each text, in the order of the input, or with --summary what each cluster "
            "holds. In a line a text's line breaks and tabs are spaces. The texts are the arguments, or the lines of "
            "the files named with --input, or the lines of standard input. The same seed gives the same clusters, for "
            "any number of threads.",
        .example = "wordllama cluster --clusters 2 \"by car\" \"by bus\" \"a red apple\" \"a green pear\"",
        .most = SIZE_MAX,
        .run = cmd_cluster,
    },
    {
        .name = "split",
        .operands = "[FILE...]",
        .summary = "split long texts where their meaning changes",
        .description =
            "Cuts each file, or standard input, or with --jsonl and --csv each text in them, into chunks of at most "
            "about --size characters, where the meaning of what stands around changes. Prints the chunks with a line "
            "-- between them. A chunk may hold line breaks; --json and --zero set chunks apart in any case.",
        .example = "wordllama help | wordllama split --size 200",
        .most = SIZE_MAX,
        .takes_files = true,
        .run = cmd_split,
    },
    {
        .name = "tokenize",
        .operands = "[TEXT...]",
        .summary = "show the tokens of texts",
        .description =
            "Prints one JSON array for each text: the ids of its tokens, or their pieces, or their offsets. Where "
            "more than one of these is asked for, it is an object with a member for each. With --count it prints the "
            "number of tokens alone, with --npy it writes the ids as NumPy arrays. Texts come from the arguments, or "
            "the lines of the files named with --input, or the lines of standard input. Only the tokenizer of the "
            "model is used. Memory does not grow with the number of texts.",
        .example = "wordllama tokenize --ids --pieces \"I went to the car\"",
        .most = SIZE_MAX,
        .run = cmd_tokenize,
    },
    {
        .name = "detokenize",
        .operands = "[ID...]",
        .summary = "turn tokens back into text",
        .description =
            "Prints the text of token ids, as the tokenizer's decoder makes it. The arguments are the ids of one "
            "text. Without arguments each line of the files named with --input, or of standard input, holds the ids "
            "of one: a JSON array, or numbers with spaces or commas between them, or a JSON object with the member "
            "ids. A text that holds line breaks takes several lines unless --json is given. Ids that the tokenizer "
            "does not have are passed over.",
        .example = "wordllama tokenize \"I went to the car\" | wordllama detokenize",
        .most = SIZE_MAX,
        .run = cmd_detokenize,
    },
    {
        .name = "convert",
        .operands = "[MODEL] OUT",
        .summary = "write a model in one file that opens at once",
        .description =
            "Writes a model, given by name or by path, to the file OUT in the packed form: a safetensors file that "
            "holds the weights, the tokenizer's tables ready-made, and what the config says. It opens by mapping "
            "alone and gives the same ids and the same vectors. Without MODEL it is that of WORDLLAMA_MODEL, or the "
            "default one. A MODEL that is a tokenizer.json gives a packed tokenizer, for --tokenizer. OUT appears "
            "under its name only when it is complete.",
        .example = "wordllama convert packed.safetensors && wordllama info packed.safetensors",
        .least = 1,
        .most = 2,
        .run = cmd_convert,
    },
    {
        .name = "info",
        .operands = "[MODEL]",
        .summary = "describe a model and this program",
        .description = "Prints the properties of a model, given by name or by path.",
        .example = "wordllama info",
        .most = 1,
        .run = cmd_info,
    },
    {
        .name = "pull",
        .operands = "[NAME]",
        .summary = "fetch a model into the cache",
        .description =
            "No model is needed for a start: one comes with wordllama. This downloads another, checks it and puts it "
            "where the other verbs find it by its name. What is there already "
            "and whole is not fetched again. A name with a slash is a repository of the Hugging Face hub that holds a "
            "WordLlama, Model2Vec or StaticEmbedding model; it goes into the hub's own cache, which other programs "
            "share. The default is " OFFICIAL_MODEL ". Prints the model's folder.",
        .example = "wordllama pull " OFFICIAL_MODEL,
        .most = 1,
        .run = cmd_pull,
    },
    {
        .name = "extract",
        .operands = "SOURCE OUT",
        .summary = "take the token embeddings out of a language model",
        .description =
            "Reads the table of token embeddings (the codebook) of a language model and writes it to the file OUT, a "
            "safetensors file, with the tokenizer.json beside it. SOURCE is a folder, a file (safetensors, PyTorch's "
            ".bin or .pth, GGUF, or an index of shards), a name at the Hugging Face hub (OWNER/NAME, or "
            "OWNER/NAME@REVISION), or the name of a config ('wordllama configs'), which stands for its hub model. Only "
            "the table is read, or fetched, whatever the size of the model; nothing that a file holds is executed. OUT "
            "appears under its name only when it is complete.",
        .example = "wordllama extract Qwen/Qwen3-0.6B qwen3.safetensors --allow-padding",
        .least = 1,
        .most = 2,
        .run = cmd_extract,
    },
    {
        .name = "configs",
        .operands = "[NAME...]",
        .summary = "list what is known of language models' codebooks",
        .description =
            "Prints a line for each config: its name, the table's rows and columns, and the model at the hub. The name "
            "stands for the model in 'wordllama extract'. With NAME it prints that config as JSON. A config of your "
            "own is a JSON file of the same form, given by its path, or by its name where it lies in the folder "
            "WORDLLAMA_CONFIGS.",
        .example = "wordllama configs llama3_8B",
        .most = SIZE_MAX,
        .run = cmd_configs,
    },
    {
        .name = "concat",
        .operands = "CODEBOOK... -o OUT",
        .summary = "put codebooks of one vocabulary side by side",
        .description =
            "Writes the codebook whose rows are those of all sources, one behind the other: their columns add up. The "
            "tokenizers beside the sources must agree in every token, unless --align matches the tokens of the others "
            "to those of the first. OUT appears under its name only when it is complete.",
        .example = "wordllama concat " OFFICIAL_MODEL " " OFFICIAL_MODEL " --scale norm -o both.safetensors",
        .least = 1,
        .most = SIZE_MAX,
        .run = cmd_concat,
    },
    {
        .name = "codebook",
        .operands = "info CODEBOOK",
        .summary = "look inside a codebook",
        .description =
            "Describes a codebook, or any model's table: norms of its rows, their mean, how evenly they point in all "
            "directions, the spectrum and its effective rank, rows that were never trained; with --token also the "
            "nearest neighbours of a token.",
        .example = "wordllama codebook info " OFFICIAL_MODEL " --token \" car\" --plot codebook.svg",
        .least = 1,
        .most = 2,
        .run = cmd_codebook,
    },
    {
        .name = "reduce",
        .operands = "CODEBOOK OUT",
        .summary = "make a model of a codebook without training",
        .description =
            "Projects a codebook to --dim dimensions by its principal components and weights its tokens by how rare "
            "they are, as Model2Vec does. The result is a model that every verb takes; a baseline that takes seconds. "
            "OUT appears under its name only when it is complete.",
        .example = "wordllama reduce " OFFICIAL_MODEL " small.safetensors --dim 64",
        .least = 1,
        .most = 2,
        .run = cmd_reduce,
    },
    {
        .name = "eval",
        .operands = "MODEL... SET...",
        .summary = "score models on evaluation sets",
        .description =
            "Scores each MODEL, given by name or by path, on evaluation sets: similarity, classification, clustering, "
            "pairs, retrieval, triplets. SET is a folder of sets, sorted into folders by group, or a folder in the "
            "form "
            "of BEIR, or a file of JSON lines, CSV or TSV; without any it is what WORDLLAMA_EVAL names. Prints a table "
            "of scores times 100, the mean of each group and the mean of the groups. Every text is tokenized and "
            "embedded once, whatever is asked for.",
        .example = "printf '{\"score\": %s, \"text1\": \"%s\", \"text2\": \"%s\"}\\n' "
                   "5 car automobile 4 boat ship 1 car apple >words.jsonl\n"
                   "wordllama eval " DEFAULT_MODEL " words.jsonl --dims 256,64 --binary",
        .least = 1,
        .most = SIZE_MAX,
        .run = cmd_eval,
    },
    {
        .name = "classify",
        .operands = "train FILE..., predict [CLASSIFIER] [TEXT...], or test CLASSIFIER FILE...",
        .summary = "sort texts into classes that examples or descriptions give",
        .description =
            "train fits a classifier (multinomial logistic regression on the texts' vectors) to FILEs of JSON lines, "
            "CSV or TSV with the fields text and label, writes it to --output, and prints how well it does in "
            "cross-validation. predict prints a line \"label<TAB>probability<TAB>text\" for each text: an argument, or "
            "a line of the files named with --input, or of standard input. With --label there is no CLASSIFIER: the "
            "label whose description is most similar is said. test compares what it says with the labels in FILEs.",
        .example = "wordllama classify predict --label \"travel: cars, trains, journeys\" "
                   "--label \"food: cooking and eating\" \"I went to the car\" \"a bowl of soup\"",
        .least = 1,
        .most = SIZE_MAX,
        .run = cmd_classify,
    },
    {
        .name = "prepare",
        .operands = "FILE... -o OUT",
        .summary = "make texts ready for training",
        .description =
            "Reads pairs and triplets of texts from files of JSON lines, CSV or TSV with the fields anchor, positive "
            "and negative, and writes their token ids to OUT, a safetensors file that the trainer maps. Normalizes "
            "white space; drops duplicates, empty, too short and too long texts, and with --evaluation every record "
            "of which a text stands in an evaluation set; prints how many it dropped and why. Memory does not grow "
            "with the input. OUT appears under its name only when it is complete.",
        .example =
            "printf '{\"anchor\": \"%s\", \"positive\": \"%s\"}\\n' car automobile \"a  boat\" ship Car Automobile "
            ">pairs.jsonl\nwordllama prepare pairs.jsonl -o pairs.safetensors --kept kept.jsonl",
        .least = 1,
        .most = SIZE_MAX,
        .takes_files = true,
        .run = cmd_prepare,
    },
    {
        .name = "vocab",
        .operands = "FILE... -o OUT",
        .summary = "learn a vocabulary from texts",
        .description =
            "Reads files of records as 'wordllama prepare' takes them and counts the words of all texts in them. "
            "Learns WordPiece's pieces from the counts, then adds the most frequent words whole until the vocabulary "
            "has --size entries, and writes a tokenizer.json to OUT, for 'wordllama train' and for every program that "
            "reads such files. Prints how many texts and words it read, and which part of the words is one entry. OUT "
            "appears under its name only when it is complete.",
        .example = "printf '{\"text\": \"%s\"}\\n' \"the cat sat\" \"the cats sat\" \"a cat sits\" >texts.jsonl\n"
                   "wordllama vocab texts.jsonl -o tokenizer.json --size 30",
        .least = 1,
        .most = SIZE_MAX,
        .takes_files = true,
        .run = cmd_vocab,
    },
    {
        .name = "targets",
        .operands = "TEACHER[:WEIGHT]... -o OUT",
        .summary = "make target vectors of what teachers say of texts",
        .description =
            "A TEACHER is a file of vectors, a row for each text of a prepared file in its order ('wordllama prepare "
            "--texts' writes them): a NumPy array or a safetensors file. Writes to OUT, a safetensors file, their unit "
            "vectors side by side, each scaled by the root of its weight; with --dim their principal components, which "
            "--whitening evens out. 'wordllama train' learns from them where data name targets. OUT appears under its "
            "name only when it is complete.",
        .example = "printf 'by car\\nby boat\\nan apple\\n' >texts.txt\n"
                   "wordllama embed --input texts.txt --norm --format npy --output one.npy\n"
                   "wordllama targets one.npy one.npy:0.5 -o targets.safetensors --dim 2",
        .least = 1,
        .most = SIZE_MAX,
        .run = cmd_targets,
    },
    {
        .name = "average",
        .operands = "TEXTS TARGETS -o OUT",
        .summary = "make a model of target vectors, without training",
        .description =
            "The row of a token is the mean of the target vectors of all texts that hold it, times a weight that is "
            "small for frequent tokens (SIF). TEXTS is what 'wordllama prepare' wrote with the same --tokenizer, "
            "TARGETS what 'wordllama targets' made of teachers, or one teacher's vectors: a row for each text. What "
            "comes out is a model, and a good start for 'wordllama train --kind table'. OUT is a safetensors file, or "
            "a folder for model.safetensors; the tokenizer comes beside it.",
        .example = "printf 'by car\\nby boat\\nan apple\\n' >texts.txt\n"
                   "wordllama embed --input texts.txt --norm --format npy --output one.npy\n"
                   "wordllama vocab texts.txt -o tokenizer.json --least-count 1\n"
                   "wordllama prepare texts.txt -o texts.safetensors --tokenizer tokenizer.json\n"
                   "wordllama average texts.safetensors one.npy -o model/ --tokenizer tokenizer.json",
        .least = 2,
        .most = 2,
        .takes_files = true,
        .run = cmd_average,
    },
    {
        .name = "train",
        .operands = "[CONFIG]",
        .summary = "train a model from a codebook and pairs of texts",
        .description =
            "Trains a projection of a codebook and weights of its tokens on pairs or triplets of texts, and writes the "
            "finished models, one for each Matryoshka dimension, to the output folder: NAME_256.safetensors and so on, "
            "which every verb takes, and a folder NAME for sentence-transformers and Model2Vec. The codebook is a file "
            "as 'wordllama extract' writes it, or any model, given by name or by path. The data are files that "
            "'wordllama prepare' made, or files of records as it takes them. CONFIG is a JSON file, in which comments "
            "are allowed; every field of it is a flag as well, which counts before the file. A flag that takes a list "
            "may be repeated, too. Where a run was interrupted, the same command with --resume goes on, and ends with "
            "the same models.",
        .example =
            "printf '{\"anchor\": \"%s\", \"positive\": \"%s\"}\\n' car automobile boat ship train railway apple pear "
            ">pairs.jsonl\nwordllama train --codebook " OFFICIAL_MODEL
            " --data pairs.jsonl -o trained --dim 64 --batch-size 4 "
            "--steps 5",
        .most = 1,
        .takes_files = true,
        .run = cmd_train,
    },
    {0},
};
