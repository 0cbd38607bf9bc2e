package main

import (
	"errors"

	openapi "github.com/alibabacloud-go/darabonba-openapi/v2/client"
	"github.com/alibabacloud-go/tea/dara"
	"github.com/alibabacloud-go/tea/tea"
)

func connect(secret string) api {
	client := must(openapi.NewClient(&openapi.Config{
		Endpoint:        dara.String(setting("ENDPOINT")),
		Protocol:        dara.String("http"),
		AccessKeyId:     dara.String(setting("KEY_ID")),
		AccessKeySecret: dara.String(secret),
	}))
	return named{send: func(action, method string, query, form map[string]string) (any, error) {
		params := &openapi.Params{
			Action:      dara.String(action),
			Version:     dara.String("2020-05-18"),
			Protocol:    dara.String("HTTP"),
			Pathname:    dara.String("/"),
			Method:      dara.String(method),
			AuthType:    dara.String("AK"),
			Style:       dara.String("RPC"),
			ReqBodyType: dara.String("formData"),
			BodyType:    dara.String("json"),
		}
		request := &openapi.OpenApiRequest{Query: map[string]*string{}}
		for name, value := range query {
			request.Query[name] = dara.String(value)
		}
		if form != nil {
			request.Body = form
		}
		answer, err := client.CallApi(params, request, &dara.RuntimeOptions{})
		if err != nil {
			return nil, err
		}
		return answer["body"].(map[string]any)["Data"], nil
	}}
}

func refusal(err error) (string, int, string) {
	var found *tea.SDKError
	if !errors.As(err, &found) {
		return "", 0, ""
	}
	return "SDKError", tea.IntValue(found.StatusCode), tea.StringValue(found.Code)
}
