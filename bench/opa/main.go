// bench/policy, the yardstick: OPA's Go evaluation of the same modules on the same input. The query is prepared once; the
// input is JSON text each time, as it is for Sallyport ("from_json"), or converted beforehand ("converted").
package main

import (
	"bytes"
	"context"
	"encoding/json"
	"fmt"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"time"

	"github.com/open-policy-agent/opa/v1/ast"
	"github.com/open-policy-agent/opa/v1/rego"
)

const query = `allow = data.tool_access.allow; deny = data.tool_access.deny`

func must[T any](value T, err error) T {
	if err != nil {
		fmt.Fprintln(os.Stderr, err)
		os.Exit(1)
	}
	return value
}

func prepare(folder string, skip string) rego.PreparedEvalQuery {
	options := []func(*rego.Rego){rego.Query(query), rego.StrictBuiltinErrors(true)}
	for _, file := range must(filepath.Glob(filepath.Join(folder, "*.rego"))) {
		if filepath.Base(file) != skip {
			options = append(options, rego.Module(filepath.Base(file), string(must(os.ReadFile(file)))))
		}
	}
	return must(rego.New(options...).PrepareForEval(context.Background()))
}

func measure(ask func() rego.ResultSet) map[string]float64 {
	const count = 20000
	took := make([]float64, 0, count)
	for i := -2000; i < count; i++ {
		start := time.Now()
		results := ask()
		ns := time.Since(start).Nanoseconds()
		if len(results) != 1 || results[0].Bindings["allow"] != true {
			fmt.Fprintln(os.Stderr, "denied: ", results)
			os.Exit(1)
		}
		if i >= 0 {
			took = append(took, float64(ns)/1000)
		}
	}
	slices.Sort(took)
	return map[string]float64{"p50": took[count/2], "p99": took[count*99/100]}
}

func main() {
	folder := os.Args[1]
	text := must(os.ReadFile(filepath.Join(folder, "input.json")))
	ctx := context.Background()
	out := map[string]any{}
	for name, skip := range map[string]string{"shipped": "limits.rego", "arguments": ""} {
		prepared := prepare(folder, skip)
		out[name+"_from_json"] = measure(func() rego.ResultSet {
			var input any
			decoder := json.NewDecoder(bytes.NewReader(text))
			decoder.UseNumber()
			if err := decoder.Decode(&input); err != nil {
				panic(err)
			}
			return must(prepared.Eval(ctx, rego.EvalInput(input)))
		})
		converted := must(ast.ValueFromReader(strings.NewReader(string(text))))
		out[name+"_converted"] = measure(func() rego.ResultSet {
			return must(prepared.Eval(ctx, rego.EvalParsedInput(converted)))
		})
	}
	encoded := must(json.MarshalIndent(out, "", "  "))
	fmt.Println(string(encoded))
}
