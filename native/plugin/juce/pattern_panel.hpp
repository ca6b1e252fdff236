// SPDX-License-Identifier: GPL-3.0-or-later
// The pattern as a MIDI file, to be dragged out of the editor: many hosts take no MIDI from a plugin.
#pragma once

#include "processor.hpp"

#include <juce_gui_basics/juce_gui_basics.h>

namespace terzetto::plugin {

class PatternPanel final : public juce::Component, public juce::SettableTooltipClient {
public:
    explicit PatternPanel(Processor& processor);
    void refresh();
    void paint(juce::Graphics& g) override;
    void mouseDrag(const juce::MouseEvent& event) override;

    // Writes the file that is dragged, in the system's folder for such; none: there is no pattern yet.
    juce::File write() const;

private:
    Processor& processor_;
    bool ready_ = false, dragging_ = false;
};

} // namespace terzetto::plugin
