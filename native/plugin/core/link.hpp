// SPDX-License-Identifier: GPL-3.0-or-later
// Hands the host's end of a segment from the keeper to the audio thread without a lock: the keeper offers one, the
// audio thread says which one it has taken up, and only what it no longer uses is destroyed, by the keeper.
#pragma once

#include "realtime.hpp"

#include <atomic>

namespace terzetto::plugin {

class Link {
public:
    // The keeper's.
    void offer(bridge::HostEnd* end) noexcept { offered_.store(end); }
    bool taken_up() const noexcept { return in_use_.load() == offered_.load(); } // every other one may be destroyed

    // The audio thread's (while no audio runs, whoever prepares it).
    bridge::HostEnd* take_up() noexcept TERZETTO_REALTIME {
        bridge::HostEnd* end = offered_.load();
        if (end != in_use_.load()) in_use_.store(end);
        return end;
    }
    // Whether another one than the one in use is offered.
    bool renewed() const noexcept TERZETTO_REALTIME { return in_use_.load() != offered_.load(); }
    // No audio runs any more: nothing is in use.
    void let_go() noexcept {
        offered_.store(nullptr);
        in_use_.store(nullptr);
    }

private:
    std::atomic<bridge::HostEnd*> offered_{nullptr}, in_use_{nullptr};
};

} // namespace terzetto::plugin
