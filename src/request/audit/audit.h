// The audit stage: evidence before effect (design, principle 7). The pipeline needs record.h, redact.h and writer.h; `app` owns
// AuditLog (log.h); the CLI reads with verify.h and tail.h. This header is all that writing needs.
#pragma once

#include "request/audit/log.h"
#include "request/audit/record.h"
#include "request/audit/redact.h"
#include "request/audit/writer.h"
