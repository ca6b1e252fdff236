// SPDX-License-Identifier: GPL-3.0-or-later
// One instance of a plugin: everything but the host's format and the editor.
#pragma once

#include "keeper.hpp"
#include "parameters.hpp"
#include "pipeline.hpp"
#include "state.hpp"

#include <atomic>
#include <mutex>
#include <string>

namespace terzetto::plugin {

// What has happened and the host is to hear of. Called on a background thread.
class Listener {
public:
    virtual ~Listener() = default;
    virtual void latency_changed() = 0;    // Instance::latency()
    virtual void parameters_changed() = 0; // Parameters::take_told()
    virtual void state_changed() = 0;      // the host should save
};

// What an editor shows.
struct View {
    Condition condition = Condition::Absent;
    std::string status, instance;
    std::string score;      // path of the one that the engine has; empty: none
    int osc_port = 0;       // 0: none yet
    double progress = -1.0; // negative: nothing runs
};

class Instance {
public:
    Instance(const InstrumentInfo& instrument, Listener& listener);
    ~Instance();

    Parameters& parameters() { return parameters_; }
    const InstrumentInfo& instrument() const { return parameters_.instrument(); }

    // No audio runs meanwhile. Waits for the engine (3 s, offline 20 s), unless there is none or `patient` is false.
    void prepare(Stream stream, bool patient = true);
    void rest();    // the host pauses: the engine stays for when it goes on
    void release(); // for good
    bool prepared() const { return prepared_.load(); }
    const Stream& stream() const { return pipeline_.stream(); }

    void process(float* const* audio, std::uint32_t frames, const Block& block) noexcept TERZETTO_REALTIME;
    void reset() noexcept TERZETTO_REALTIME { pipeline_.reset(); }
    std::uint32_t latency() const { return pipeline_.latency(); } // frames
    // What the engine played, as notes of the last block.
    const Note* notes_out() const { return pipeline_.notes_out(); }
    std::uint32_t notes_out_count() const { return pipeline_.notes_out_count(); }

    std::string state() const { return state_.text(); }
    void set_state(std::string_view text);
    // From the editor's thread: `/terzetto/<instrument>/<name> [about] text` in the next hop. False: too many wait, or
    // too long.
    bool ask(std::string_view name, std::string_view text, std::string_view about = {});
    View view() const;
    std::string pattern() const { return state_.pattern(); } // as a MIDI file in base 64; empty: none
    Sources sources() const { return state_.sources(); }

private:
    void after_tick();
    void update_meters() noexcept TERZETTO_REALTIME;
    Condition condition() const noexcept TERZETTO_REALTIME;

    Listener& listener_;
    Parameters parameters_;
    State state_;
    Link link_;
    std::atomic<bool> prepared_{false};
    bool was_realtime_ = false;            // ever
    std::atomic<double> sample_rate_{0.0}; // 0: being prepared
    int status_meter_, late_meter_;
    mutable std::mutex view_mutex_;
    View view_;
    std::string refused_, engine_text_;
    std::uint32_t reported_latency_ = 0, reported_state_ = 0;
    std::uint64_t late_seen_ = 0;
    int late_ticks_ = 0; // ticks for which "late" is still shown
    std::atomic<bool> late_lately_{false};
    Keeper keeper_;
    Pipeline pipeline_;
};

} // namespace terzetto::plugin
