#include "core/base/count.h"


#ifdef PYRO_COUNTING

__thread uint64_t  pyro_counts[PYRO_COUNT_KINDS];
__thread int64_t   pyro_held;
__thread int64_t   pyro_held_most;

#endif
