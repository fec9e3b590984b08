#define WL_LOOPS wl_loops_avx2
#include "train/loops_body.h"
