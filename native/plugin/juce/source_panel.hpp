// SPDX-License-Identifier: GPL-3.0-or-later
// Where the timbre comes from: a model or a recording, and another one to balance it with.
#pragma once

#include "processor.hpp"

#include <juce_gui_basics/juce_gui_basics.h>

#include <memory>

namespace terzetto::plugin {

class SourcePanel final : public juce::Component, public juce::FileDragAndDropTarget {
public:
    SourcePanel(Processor& processor, HostParameter& method);
    void show(const Sources& sources);
    bool takes_model() const { return method_.plain() < 0.5f; } // xsynth: then the pad counts
    void paint(juce::Graphics& g) override;
    void resized() override;

    bool isInterestedInFileDrag(const juce::StringArray& files) override;
    void fileDragEnter(const juce::StringArray&, int x, int) override { hover(half_at(x)); }
    void fileDragMove(const juce::StringArray&, int x, int) override { hover(half_at(x)); }
    void fileDragExit(const juce::StringArray&) override { hover(-1); }
    void filesDropped(const juce::StringArray& files, int x, int) override;

private:
    int half_at(int x) const { return 2 * x < getWidth() ? 0 : 1; }
    void hover(int half);
    void list(int half);   // what there is
    void choose(int half); // a file
    void take(const juce::File& file, int half);

    Processor& processor_;
    HostParameter& method_;
    Sources sources_;
    int over_ = -1; // half that a file hangs over; none: -1
    juce::String names_[2];
    juce::TextButton buttons_[2];
    std::unique_ptr<juce::FileChooser> chooser_;
};

} // namespace terzetto::plugin
