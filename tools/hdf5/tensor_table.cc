// Debian 13's 1.14 has other defaults than Debian 12's 1.10.
#define H5_USE_110_API
#include "tools/hdf5/tensor_table.h"

#include <hdf5.h>

#include <cstdint>
#include <string_view>
#include <utility>
#include <vector>

#include "absl/status/status.h"
#include "absl/strings/str_cat.h"
#include "absl/strings/str_join.h"

namespace deberta::tools {
namespace {

// TensorFlow's deepest names have ten parts; one group that is linked into
// itself has no end.
constexpr int kMaxDepth = 16;
constexpr int kMaxObjects = 50'000;
constexpr size_t kMaxPath = 1024;
constexpr int kMaxAxes = 8;

// An object of the library's, closed with this.
class Handle {
 public:
  using Close = herr_t (*)(hid_t);
  Handle(hid_t id, Close close) : id_(id), close_(close) {}
  ~Handle() {
    if (ok()) close_(id_);
  }
  Handle(const Handle&) = delete;
  Handle& operator=(const Handle&) = delete;
  bool ok() const { return id_ >= 0; }
  hid_t id() const { return id_; }

 private:
  const hid_t id_;
  const Close close_;
};

absl::Status Refuse(const std::string& path, absl::string_view why) {
  return absl::InvalidArgumentError(absl::StrCat("\"/", path, "\": ", why));
}

// Names go into JSON as they are.
bool IsPlain(std::string_view name) {
  for (const char c : name) {
    if (c < ' ' || c > '~' || c == '"' || c == '\\') return false;
  }
  return !name.empty();
}

// binary16, which the library has no name for.
bool IsHalf(hid_t type) {
  const Handle half(H5Tcopy(H5T_IEEE_F32LE), H5Tclose);
  return half.ok() && H5Tset_fields(half.id(), 15, 10, 5, 0, 10) >= 0 &&
         H5Tset_size(half.id(), 2) >= 0 && H5Tset_ebias(half.id(), 15) >= 0 &&
         H5Tequal(type, half.id()) > 0;
}

// As safetensors spells it; the class of any other than little-endian floats.
const char* ElementType(hid_t type) {
  if (H5Tequal(type, H5T_IEEE_F32LE) > 0) return "F32";
  if (H5Tequal(type, H5T_IEEE_F64LE) > 0) return "F64";
  if (IsHalf(type)) return "F16";
  switch (H5Tget_class(type)) {
    case H5T_INTEGER:
      return "integer";
    case H5T_FLOAT:
      return "another float";
    case H5T_STRING:
      return "string";
    default:
      return "another class";
  }
}

bool IsFloat(std::string_view type) { return type.starts_with('F'); }

class TableWriter {
 public:
  absl::Status AddGroup(hid_t group, const std::string& path, int depth);
  std::string Finish() && { return std::move(table_) + "}"; }

 private:
  // One call of AddGroup, for the library's callback.
  struct Visit {
    TableWriter* writer;
    const std::string* path;
    int depth;
    absl::Status status;
  };

  static herr_t VisitLink(hid_t group, const char* name, const H5L_info_t* link,
                          void* visit);
  absl::Status AddLink(hid_t group, const std::string& name,
                       const H5L_info_t& link, const std::string& path,
                       int depth);
  absl::Status AddDataset(hid_t dataset, const std::string& path);
  void Write(const std::string& path, const char* type,
             const std::vector<hsize_t>& shape, uint64_t begin, uint64_t end);

  std::string table_ = "{";
  int objects_ = 0;
};

herr_t TableWriter::VisitLink(hid_t group, const char* name,
                              const H5L_info_t* link, void* visit) {
  auto& now = *static_cast<Visit*>(visit);
  now.status = now.writer->AddLink(group, name, *link, *now.path, now.depth);
  return now.status.ok() ? 0 : -1;
}

absl::Status TableWriter::AddGroup(hid_t group, const std::string& path,
                                   int depth) {
  if (depth > kMaxDepth) {
    return Refuse(path, absl::StrCat("expected at most ", kMaxDepth,
                                     " groups inside one another"));
  }
  Visit visit = {this, &path, depth, absl::OkStatus()};
  const herr_t visited = H5Literate(group, H5_INDEX_NAME, H5_ITER_NATIVE,
                                    nullptr, VisitLink, &visit);
  if (!visit.status.ok()) return visit.status;
  if (visited < 0) return Refuse(path, "the group is damaged");
  return absl::OkStatus();
}

absl::Status TableWriter::AddLink(hid_t group, const std::string& name,
                                  const H5L_info_t& link,
                                  const std::string& path, int depth) {
  if (!IsPlain(name))
    return Refuse(path, "holds a name that is not plain ASCII");
  const std::string full = path.empty() ? name : absl::StrCat(path, "/", name);
  if (full.size() > kMaxPath) {
    return Refuse(
        path, absl::StrCat("expected names of at most ", kMaxPath, " bytes"));
  }
  if (++objects_ > kMaxObjects) {
    return Refuse(full, absl::StrCat("expected at most ", kMaxObjects,
                                     " groups and datasets"));
  }
  if (link.type != H5L_TYPE_HARD) {
    return Refuse(full,
                  "a link to another place or file, which is not "
                  "followed");
  }
  const Handle object(H5Oopen(group, name.c_str(), H5P_DEFAULT), H5Oclose);
  if (!object.ok()) return Refuse(full, "cannot be opened: damaged");
  switch (H5Iget_type(object.id())) {
    case H5I_GROUP:
      return AddGroup(object.id(), full, depth + 1);
    case H5I_DATASET:
      return AddDataset(object.id(), full);
    default:
      return Refuse(full, "neither a group nor a dataset");
  }
}

// OK if the elements are one range of this file.
absl::Status CheckLayout(hid_t dataset, const std::string& path) {
  const Handle creation(H5Dget_create_plist(dataset), H5Pclose);
  if (!creation.ok()) return Refuse(path, "the dataset is damaged");
  if (H5Pget_layout(creation.id()) != H5D_CONTIGUOUS ||
      H5Pget_nfilters(creation.id()) != 0) {
    return Refuse(path,
                  "chunked, compressed, compact or virtual; expected elements "
                  "in one piece, as TensorFlow writes them");
  }
  if (H5Pget_external_count(creation.id()) != 0) {
    return Refuse(path, "kept in other files, which are not opened");
  }
  return absl::OkStatus();
}

absl::Status TableWriter::AddDataset(hid_t dataset, const std::string& path) {
  const Handle type(H5Dget_type(dataset), H5Tclose);
  const Handle space(H5Dget_space(dataset), H5Sclose);
  if (!type.ok() || !space.ok()) return Refuse(path, "the dataset is damaged");
  const char* const element = ElementType(type.id());
  if (!IsFloat(element)) {
    Write(path, element, {}, 0, 0);
    return absl::OkStatus();
  }
  if (absl::Status status = CheckLayout(dataset, path); !status.ok()) {
    return status;
  }
  const int axes = H5Sget_simple_extent_ndims(space.id());
  if (axes < 0 || axes > kMaxAxes) {
    return Refuse(path, absl::StrCat("expected at most ", kMaxAxes, " axes"));
  }
  std::vector<hsize_t> shape(static_cast<size_t>(axes));
  if (H5Sget_simple_extent_dims(space.id(), shape.data(), nullptr) != axes) {
    return Refuse(path, "the shape is damaged");
  }
  uint64_t bytes = H5Tget_size(type.id());
  for (const hsize_t size : shape) {
    if (__builtin_mul_overflow(bytes, uint64_t{size}, &bytes)) {
      return Refuse(path, "the shape is too large");
    }
  }
  const haddr_t begin = bytes == 0 ? 0 : H5Dget_offset(dataset);
  uint64_t end = 0;
  if (begin == HADDR_UNDEF || __builtin_add_overflow(begin, bytes, &end)) {
    return Refuse(path, "the elements were never written");
  }
  Write(path, element, shape, begin, end);
  return absl::OkStatus();
}

void TableWriter::Write(const std::string& path, const char* type,
                        const std::vector<hsize_t>& shape, uint64_t begin,
                        uint64_t end) {
  absl::StrAppend(&table_, table_.size() == 1 ? "" : ",\n", "\"", path,
                  "\":{\"dtype\":\"", type, "\",\"shape\":[",
                  absl::StrJoin(shape, ","), "],\"data_offsets\":[", begin, ",",
                  end, "]}");
}

}  // namespace

absl::StatusOr<std::string> TensorTable(const std::string& path) {
  // Failures are told by what was attempted, not by the library's stack.
  H5Eset_auto(H5E_DEFAULT, nullptr, nullptr);
  H5PLset_loading_state(0);  // no plugins
  const Handle access(H5Pcreate(H5P_FILE_ACCESS), H5Pclose);
  // One plain file, whatever it asks for, and no lock: it may lie on a
  // read-only or network file system.
  if (!access.ok() || H5Pset_fapl_sec2(access.id()) < 0 ||
      H5Pset_file_locking(access.id(), false, true) < 0) {
    return absl::InternalError("the HDF5 library cannot be set up");
  }
  const Handle file(H5Fopen(path.c_str(), H5F_ACC_RDONLY, access.id()),
                    H5Fclose);
  if (!file.ok()) {
    return absl::InvalidArgumentError(
        "cannot be opened as HDF5: damaged, or an incomplete download");
  }
  const Handle root(H5Gopen2(file.id(), "/", H5P_DEFAULT), H5Gclose);
  if (!root.ok()) return Refuse("", "the group is damaged");
  TableWriter writer;
  absl::Status status = writer.AddGroup(root.id(), "", 0);
  if (!status.ok()) return status;
  return std::move(writer).Finish();
}

}  // namespace deberta::tools
