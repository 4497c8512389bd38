#include "gateway/scram_authenticator.h"

#include "gateway/login/scram.h"

namespace tidegate {
namespace {

class Exchange final : public broker::AuthExchange {
 public:
  explicit Exchange(const Users& users)
      : server_([&users](const std::string& user) { return users.scram_verifier(user); }, scram_nonce()) {}

  Step next(std::string_view data) override {
    if (data.empty()) return {Step::Kind::go_on, "", ""};  // the client has yet to begin (RFC 4422, 5.1)
    auto answer = server_.next(data);
    if (!answer) return {Step::Kind::refused, "", ""};
    if (!server_.is_done()) return {Step::Kind::go_on, std::move(*answer), ""};
    return {Step::Kind::done, std::move(*answer), server_.user()};
  }

 private:
  ScramServer server_;
};

}  // namespace

bool ScramAuthenticator::knows(std::string_view method) const {
  return method == scram_method && users_.has_scram_verifiers();
}

std::unique_ptr<broker::AuthExchange> ScramAuthenticator::begin(std::string_view method) {
  return knows(method) ? std::make_unique<Exchange>(users_) : nullptr;
}

}  // namespace tidegate
