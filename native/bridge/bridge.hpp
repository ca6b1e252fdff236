// SPDX-License-Identifier: GPL-3.0-or-later
// The bridge between a plugin and its engine: both ends of the shared segment. Both sides use this header.
//
//     HostEnd (plugin)                               EngineEnd (engine)
//     post(tag, audio, transport, events)   ->       wait(); front(); … respond(tag, audio, events); pop()
//     front(); pop()                        <-
//
// Functions marked TERZETTO_REALTIME may run on an audio thread: they neither allocate, lock, log nor wait, and make no
// system call beyond the wake.
//
// segment.hpp: what lies where and who writes it. host_end.hpp, engine_end.hpp: the ends. sweep.hpp: what killed hosts
// left. Below them: mapped.hpp (a segment made or opened, and checked), mailbox.hpp, memory.hpp, process.hpp, wake.hpp.
#pragma once

#include "engine_end.hpp"
#include "error.hpp"
#include "host_end.hpp"
#include "segment.hpp"
#include "sweep.hpp"
