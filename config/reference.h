// REFERENCE.md, printed from the descriptions that read the files, so that the two cannot differ.
#pragma once

#include <string>

namespace tidegate::config {

[[nodiscard]] std::string reference_markdown();

}  // namespace tidegate::config
