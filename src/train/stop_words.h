/* English words that say little of what a text is about: the 179 of data/stopwords-en.txt. */
#ifndef WL_TRAIN_STOP_WORDS_H
#define WL_TRAIN_STOP_WORDS_H

extern const char *const wl_stop_words[]; /* in UTF-8, in the file's order; NULL ends them */

#endif
