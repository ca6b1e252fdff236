// SPDX-License-Identifier: GPL-3.0-or-later
#pragma once

#include <stdexcept>

// Marks what may run on an audio thread. Can be defined as an attribute that a checker knows ([[clang::nonblocking]]).
#ifndef TERZETTO_REALTIME
#define TERZETTO_REALTIME
#endif

namespace terzetto::bridge {

// A segment that is not there, of another version, or not one of ours; the message says which and what to do.
struct BridgeError : std::runtime_error {
    using std::runtime_error::runtime_error;
};

} // namespace terzetto::bridge
