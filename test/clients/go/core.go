package main

import (
	"bytes"
	"encoding/json"
	"errors"

	"github.com/aliyun/alibaba-cloud-sdk-go/sdk"
	sdkerrors "github.com/aliyun/alibaba-cloud-sdk-go/sdk/errors"
	"github.com/aliyun/alibaba-cloud-sdk-go/sdk/requests"
)

// connect sends what the `aliyun` command line sends with `--version 2020-05-18 --force`: common requests of this core, with
// every parameter in the query.
func connect(secret string) api {
	client := must(sdk.NewClientWithAccessKey("any-region", setting("KEY_ID"), secret))
	return named{send: func(action, method string, query, form map[string]string) (any, error) {
		request := requests.NewCommonRequest()
		request.Product = "dataworks-public"
		request.Version = "2020-05-18"
		request.ApiName = action
		request.Method = method
		request.Scheme = "http"
		request.Domain = setting("ENDPOINT")
		for _, parameters := range []map[string]string{query, form} {
			for name, value := range parameters {
				request.QueryParams[name] = value
			}
		}
		answer, err := client.ProcessCommonRequest(request)
		if err != nil {
			return nil, err
		}
		var body struct{ Data any }
		decoder := json.NewDecoder(bytes.NewReader(answer.GetHttpContentBytes()))
		decoder.UseNumber()
		err = decoder.Decode(&body)
		return body.Data, err
	}}
}

func refusal(err error) (string, int, string) {
	var found *sdkerrors.ServerError
	if !errors.As(err, &found) {
		return "", 0, ""
	}
	return "ServerError", found.HttpStatus(), found.ErrorCode()
}
