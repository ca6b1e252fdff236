// SPDX-License-Identifier: GPL-3.0-or-later
// The editor of every instrument, laid out by what its parameters are.
#pragma once

#include "pad.hpp"
#include "pattern_panel.hpp"
#include "processor.hpp"
#include "score_panel.hpp"
#include "source_panel.hpp"
#include "voice_pad.hpp"

#include <memory>
#include <vector>

namespace terzetto::plugin {

class Editor final : public juce::AudioProcessorEditor, private juce::Timer {
public:
    explicit Editor(Processor& processor);
    ~Editor() override;

    void paint(juce::Graphics& g) override;
    void resized() override;
    void refresh(); // shows what is now

private:
    void timerCallback() override { refresh(); }
    template <typename Kind, typename... Rest>
    void add(std::vector<Control*>& row, HostParameter& parameter, Rest&&... rest);
    void add_controls();
    bool add_voice(std::string_view parameter);
    void order_focus();
    int row_count() const { return static_cast<int>(rows_.size()) + (triggers_.empty() ? 0 : 1); }

    Processor& processor_;
    Look look_;
    View view_;
    std::unique_ptr<ScorePanel> score_;    // where there is something to learn
    std::unique_ptr<SourcePanel> sources_; // where a timbre comes from somewhere
    std::unique_ptr<Pad> pad_;
    std::vector<std::unique_ptr<VoicePad>> voices_;
    std::unique_ptr<PatternPanel> pattern_; // where there is something to drag out
    std::vector<std::unique_ptr<Control>> controls_;
    std::vector<Control*> faders_, rows_, triggers_, footer_;
    juce::Label whereabouts_, late_, status_;
    juce::TooltipWindow tooltips_{this, 600};
};

} // namespace terzetto::plugin
