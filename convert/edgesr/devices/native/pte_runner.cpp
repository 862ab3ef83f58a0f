// Runs pictures through one method of a .pte program, against the C++ libraries in ExecuTorch's wheel.
//
// usage: pte_runner PROGRAM METHOD N,C,H,W COUNT IMAGES ANSWERS
//
// IMAGES holds COUNT float32 pictures of that shape, ANSWERS takes the outputs of one picture after the other.
// Prints `output DTYPE D0,D1,...` for each output once, and `ran SECONDS` after each picture. Exit code 3: the
// runtime refuses the program, the last line of stdout says why.
#include <executorch/extension/module/module.h>
#include <executorch/extension/tensor/tensor.h>

#include <chrono>
#include <cstdio>
#include <cstdlib>
#include <fstream>
#include <string>
#include <vector>

using executorch::extension::Module;

static int refused(const char *what, executorch::runtime::Error error) {
    std::printf("refused %s with error 0x%x\n", what, static_cast<int>(error));
    return 3;
}

int main(int count, char **arguments) {
    if (count != 7) return 2;
    const char *method = arguments[2];
    std::vector<executorch::aten::SizesType> shape;
    size_t values = 1;
    for (char *text = arguments[3]; *text; text += *text == ',') {
        shape.push_back(static_cast<int>(std::strtol(text, &text, 10)));
        values *= shape.back();
    }
    std::ifstream images(arguments[5], std::ios::binary);
    std::ofstream answers(arguments[6], std::ios::binary);
    Module module(arguments[1]);
    const auto loaded = module.load_method(method);
    if (loaded != executorch::runtime::Error::Ok) return refused("load_method ends", loaded);
    std::vector<float> image(values);
    for (int index = 0; index < std::atoi(arguments[4]); ++index) {
        images.read(reinterpret_cast<char *>(image.data()), values * sizeof(float));
        auto tensor = executorch::extension::make_tensor_ptr(shape, image);
        const auto start = std::chrono::steady_clock::now();
        const auto result = module.execute(method, tensor);
        const std::chrono::duration<double> seconds = std::chrono::steady_clock::now() - start;
        if (!result.ok()) return refused("execute ends", result.error());
        for (const auto &output : *result) {
            const auto answer = output.toTensor();
            if (index == 0) {
                std::printf("output %d ", static_cast<int>(answer.scalar_type()));
                for (ssize_t axis = 0; axis < answer.dim(); ++axis)
                    std::printf(axis ? ",%d" : "%d", static_cast<int>(answer.size(axis)));
                std::printf("\n");
            }
            answers.write(static_cast<const char *>(answer.const_data_ptr()), answer.nbytes());
        }
        std::printf("ran %.6f\n", seconds.count());
        std::fflush(stdout);
    }
    answers.close();
    return answers.fail() ? 4 : 0;
}
