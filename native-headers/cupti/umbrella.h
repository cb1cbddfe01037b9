// CUPTI: activity records, callbacks and the sampling of performance counters.
#include <cupti.h>
#include <cupti_pmsampling.h>
#include <cupti_profiler_host.h> // includes C++'s <string> for nothing; the empty file beside this one stands for it
#include <cupti_profiler_target.h>
#include <cupti_target.h>
