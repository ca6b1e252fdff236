// SPDX-License-Identifier: GPL-3.0-or-later
// Where the score of a take is brought to, and where the take is learned.
#pragma once

#include "processor.hpp"

#include <juce_gui_basics/juce_gui_basics.h>

#include <memory>

namespace terzetto::plugin {

inline constexpr const char* kRecordings = ".wav;.flac;.aif;.aiff;.ogg;.mp3"; // files of sound

class ScorePanel final : public juce::Component, public juce::FileDragAndDropTarget {
public:
    ScorePanel(Processor& processor, HostParameter& learn);
    void show(const View& view);
    void paint(juce::Graphics& g) override;
    void resized() override;

    bool isInterestedInFileDrag(const juce::StringArray& files) override;
    void fileDragEnter(const juce::StringArray&, int, int) override { hover(true); }
    void fileDragExit(const juce::StringArray&) override { hover(false); }
    void filesDropped(const juce::StringArray& files, int, int) override;

private:
    void hover(bool over);
    void choose();
    void take(const juce::File& file);
    void set_learning(bool on);

    Processor& processor_;
    HostParameter& learn_;
    bool over_ = false;
    double progress_ = -1.0;
    juce::String asked_, score_;
    juce::TextButton open_, learn_button_, cancel_;
    juce::ProgressBar bar_{progress_};
    std::unique_ptr<juce::FileChooser> chooser_;
};

} // namespace terzetto::plugin
