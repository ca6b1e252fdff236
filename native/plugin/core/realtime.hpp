// SPDX-License-Identifier: GPL-3.0-or-later
// The mark of what may run on an audio thread: no allocation, lock, log or wait, no system call beyond the bridge's
// wake. Offline some of it waits; it says so there.
#pragma once

#include "bridge.hpp"

#ifndef TERZETTO_REALTIME
#define TERZETTO_REALTIME
#endif
