// The documents beside the code: the printed reference and the examples. These tests read files of the source tree.
#include "config/reference.h"

#include <cstdlib>
#include <filesystem>
#include <fstream>
#include <set>
#include <sstream>

#include "config/parse.h"
#include "config/schema.h"
#include "tests/unit/config/load_fixture.h"

namespace tidegate::config {
namespace {

std::filesystem::path config_folder() {
  return std::filesystem::path(TIDEGATE_SOURCE_FOLDER) / "config";
}

std::string text_of(const std::filesystem::path& path) {
  std::ifstream in(path);
  EXPECT_TRUE(in) << path;
  std::stringstream out;
  out << in.rdbuf();
  return out.str();
}

TEST(Reference, IsWhatTheReaderKnows) {
  std::string printed = reference_markdown();
  if (const char* path = std::getenv("TIDEGATE_WRITE_REFERENCE")) std::ofstream(path) << printed;
  EXPECT_TRUE(text_of(config_folder() / "REFERENCE.md") == printed)
      << "print it anew: TIDEGATE_WRITE_REFERENCE=config/REFERENCE.md build/dev/tests/unit_config "
         "--gtest_filter=Reference.*";
}

TEST(Reference, DescribesEveryKeyThatIsBuilt) {
  for (const SectionInfo* section : all_sections()) {
    std::set<std::string> seen;
    for (const KeyInfo& key : section->keys) {
      EXPECT_TRUE(seen.insert(key.key).second) << section->where << " " << key.key;
      EXPECT_TRUE(key.later || !key.doc.empty()) << section->where << " " << key.key;
    }
  }
}

class Examples : public LoadTest {
 protected:
  Examples() {
    for (const char* hash : {"sensors", "scada"})
      put("/etc/tidegate/secrets/" + std::string(hash) + ".hash", std::string(good_hash) + "\n");
    for (const char* password : {"cloud", "head-office"}) put("/etc/tidegate/secrets/" + std::string(password), "x\n");
    put("/etc/tidegate/conf.d/more.json", "{}");
    put("/etc/tidegate/passwords", std::string("press:") + good_hash + "\n");
    put("/etc/tidegate/acl", "user press\ntopic write press/#\n");
  }
  static std::string example(const char* name) { return text_of(config_folder() / "examples" / name); }
};

TEST_F(Examples, LoadWithoutAWarning) {
  EXPECT_EQ(problems(example("minimal.json"), 0644), "");
  EXPECT_EQ(problems(example("full.jsonc"), 0644), "");
}

TEST_F(Examples, FullHasEveryKey) {
  std::string text = example("full.jsonc");
  for (const SectionInfo* section : all_sections())
    for (const KeyInfo& key : section->keys) {
      bool there = text.find("\"" + key.key + "\":") != std::string::npos;
      EXPECT_TRUE(there || key.later) << section->where << " " << key.key;
    }
}

TEST_F(Examples, FullSaysTheDefaultsOfTheLimits) {
  Config full = loaded(example("full.jsonc"));
  EXPECT_EQ(full.limits, Limits{});
  EXPECT_EQ(full.bridges.at(0).queue, Queue{});
  EXPECT_EQ(full.bridges.at(0).restart_timeout, RestartTimeout{});
}

}  // namespace
}  // namespace tidegate::config
