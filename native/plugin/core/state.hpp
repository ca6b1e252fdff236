// SPDX-License-Identifier: GPL-3.0-or-later
// What the host saves of an instance: one JSON text (docs/live.md). Keys that are not known here survive.
#pragma once

#include "parameters.hpp"

#include <cstdint>
#include <initializer_list>
#include <memory>
#include <string>
#include <string_view>
#include <vector>

namespace terzetto::plugin {

// What an engine that turns one sound into another keeps: where the timbre comes from.
struct Sources {
    struct Place {
        std::string name;
        float x = 0.0f, y = 0.0f; // on the pad, 0..1
    };
    std::string model, target, other_model, other_target; // names or paths; empty: none
    std::vector<Place> instruments;                       // of the model
    std::vector<std::string> installed;                   // models that there are
};

class State {
public:
    explicit State(Parameters& parameters);
    ~State();

    std::string text() const;
    // The same for the engine, with how often the host has brought an engine's part: it comes back with what it keeps.
    std::string text_for_engine() const;
    // The host brings a state back. Empty: taken; else why not, and nothing has changed.
    std::string take(std::string_view text);
    // The engine's own part, as its worker sent it. False: not JSON, or from before the host brought another.
    bool take_engine(std::string_view text);
    std::uint64_t brought() const; // rises when the host brings another engine's part
    std::string score() const;     // path of the one that the engine keeps; empty: none
    std::string pattern() const;   // a MIDI file in base 64 that the engine keeps; empty: none
    Sources sources() const;
    void set_instance(std::string_view name);
    std::string instance() const;
    // What the engine's latency was at a sample rate; 0: not known.
    std::uint32_t latency(double sample_rate) const;
    void set_latency(double sample_rate, std::uint32_t frames);

private:
    std::string written(bool for_engine) const;
    std::string text_at(std::initializer_list<const char*> keys) const; // of the engine's part
    struct Document;
    Parameters& parameters_;
    std::unique_ptr<Document> document_; // with its lock
};

} // namespace terzetto::plugin
